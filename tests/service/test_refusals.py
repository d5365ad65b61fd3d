"""Bad input: each kind gets its status, its type, a sentence, and is counted; none is a 5xx."""

from __future__ import annotations

import codecs
import gzip
import io
import json
from dataclasses import dataclass, field

import pytest
from flask import Flask

from tests.conftest import Counted, LocationRiskScorer
from tests.json_client import JsonClient, make_client

GOOD = {
    "amount": 120.5,
    "age": 35,
    "account_balance": 2500.0,
    "transaction_frequency": 5,
    "location_risk": 0.2,
}


def without(name: str) -> str:
    return json.dumps({key: value for key, value in GOOD.items() if key != name})


def but(**changes: object) -> str:
    return json.dumps(GOOD | changes)


def raw(name: str, value: str) -> str:
    """The good body with `value` put in as it stands, JSON or not."""
    return but(**{name: "@"}).replace('"@"', value)


@dataclass
class Case:
    body: str | bytes
    status: int
    type: str
    says: str
    path: str = "/predict"
    method: str = "POST"
    headers: dict[str, str] = field(default_factory=lambda: {"Content-Type": "application/json"})


CASES = {
    "empty body": Case("", 400, "invalid_json", "must be JSON"),
    "broken JSON": Case('{"amount": 1', 400, "invalid_json", "must be JSON"),
    "trailing comma": Case('{"amount": 1,}', 400, "invalid_json", "must be JSON"),
    "two documents": Case(but() + but(), 400, "invalid_json", "must be JSON"),
    "not UTF-8": Case(b'{"amount": "\xff\xfe"}', 400, "invalid_json", "must be JSON"),
    "deeply nested": Case("[" * 4000, 400, "invalid_json", "must be JSON"),
    "NaN": Case(raw("amount", "NaN"), 400, "invalid_json", "must be JSON"),
    "Infinity": Case(raw("amount", "Infinity"), 400, "invalid_json", "must be JSON"),
    "a list": Case("[]", 400, "wrong_type", "must be an object"),
    "a number": Case("5", 400, "wrong_type", "must be an object"),
    "null": Case("null", 400, "wrong_type", "must be an object"),
    "empty object": Case("{}", 400, "missing_field", "amount is missing"),
    "missing amount": Case(without("amount"), 400, "missing_field", "amount is missing"),
    "missing last": Case(without("location_risk"), 400, "missing_field", "location_risk is"),
    "unknown field": Case(but(color="red"), 400, "unknown_field", "color"),
    "text for a number": Case(but(amount="12"), 400, "wrong_type", "amount must be a number"),
    "boolean for a number": Case(but(amount=True), 400, "wrong_type", "got true"),
    "null for a number": Case(but(amount=None), 400, "wrong_type", "got null"),
    "list for a number": Case(but(amount=[1]), 400, "wrong_type", "got a list"),
    "object for a number": Case(but(amount={}), 400, "wrong_type", "got an object"),
    "half a year": Case(but(age=35.5), 400, "wrong_type", "age must be a whole number"),
    "negative amount": Case(but(amount=-0.01), 400, "out_of_range", "between 0 and 50000"),
    "amount too high": Case(but(amount=50000.01), 400, "out_of_range", "got 50000.01"),
    "too young": Case(but(age=17), 400, "out_of_range", "age must be"),
    "risk above one": Case(but(location_risk=1.01), 400, "out_of_range", "location_risk"),
    "integer of 400 digits": Case(raw("amount", "9" * 400), 400, "out_of_range", "amount"),
    "number beyond floats": Case(raw("amount", "1e999"), 400, "invalid_json", "out of range"),
    "unknown user type": Case(but(user_type="gold"), 400, "unknown_category", '"gold"'),
    "user type of wrong type": Case(but(user_type=3), 400, "wrong_type", "user_type"),
    "batch of none": Case('{"transactions": []}', 400, "batch_size", "1 to 20 entries, got 0"),
    "batch too large": Case(
        '{"transactions": [' + ",".join(["{}"] * 21) + "]}", 400, "batch_size", "got 21"
    ),
    "batch not a list": Case('{"transactions": {}}', 400, "wrong_type", "must be a list"),
    "batch with extras": Case('{"transactions": [], "x": 1}', 400, "unknown_field", "'x'"),
    "bad one in a batch": Case(
        f'{{"transactions": [{but()}, {but(age="x")}]}}', 400, "wrong_type", "transactions[1].age"
    ),
    "batch of numbers": Case('{"transactions": [3]}', 400, "wrong_type", "transactions[0]: "),
    "too large": Case(but(color="x" * 5000), 413, "too_large", "at most 4096 bytes"),
    "no content type": Case(but(), 415, "unsupported_media_type", "got none", headers={}),
    "compressed": Case(
        gzip.compress(but().encode()), 415, "unsupported_media_type", "got Content-Encoding gzip",
        headers={"Content-Type": "application/json", "Content-Encoding": "gzip"},
    ),
    "UTF-16": Case(but().encode("utf-16"), 400, "invalid_json", "looks like UTF-16"),
    "too large by blanks": Case(but() + " " * 5000, 413, "too_large", "at most 4096 bytes"),
    "form data": Case(
        "amount=1", 415, "unsupported_media_type", "application/json",
        headers={"Content-Type": "application/x-www-form-urlencoded"},
    ),
    "unknown path": Case("", 404, "not_found", "not found", path="/nowhere", method="GET"),
    "wrong method": Case("", 405, "method_not_allowed", "not allowed", method="GET"),
    "unheard-of method": Case("", 405, "method_not_allowed", "not allowed", method="BREW"),
    "simulate: no count": Case("{}", 400, "missing_field", "num_requests", "/simulate_traffic"),
    "simulate: a text": Case(
        '{"num_requests": "5"}', 400, "wrong_type", "whole number, got '5'", "/simulate_traffic"
    ),
    "simulate: a boolean": Case(
        '{"num_requests": true}', 400, "wrong_type", "got True", "/simulate_traffic"
    ),
    "simulate: none": Case(
        '{"num_requests": 0}', 400, "out_of_range", "between 1 and 500", "/simulate_traffic"
    ),
    "simulate: too many": Case(
        '{"num_requests": 501}', 400, "out_of_range", "got 501", "/simulate_traffic"
    ),
    "simulate: a list": Case("[]", 400, "wrong_type", "an object", "/simulate_traffic"),
    "simulate: extras": Case(
        '{"num_requests": 1, "seed": 2}', 400, "unknown_field", "seed", "/simulate_traffic"
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
def test_bad_input_is_refused_with_a_sentence_and_counted(
    client: JsonClient, counted: Counted, case: Case
) -> None:
    """Status, type and message are as stated, in the one shape, and `errors_total` has it once."""
    answer = client.open(case.path, method=case.method, data=case.body, headers=case.headers)
    error = answer.json["error"]
    assert (answer.status_code, error["type"]) == (case.status, case.type)
    assert case.says in error["message"]
    assert error["request_id"] == answer.headers["X-Request-ID"]
    assert set(error) == {"type", "message", "field", "request_id"}
    endpoint = "other" if case.path == "/nowhere" else case.path
    assert counted("errors_total", type=case.type, endpoint=endpoint) == 1
    assert counted("errors_total") == 1


@pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
def test_bad_input_is_not_predicted(client: JsonClient, counted: Counted, case: Case) -> None:
    client.open(case.path, method=case.method, data=case.body, headers=case.headers)
    assert counted("predictions_total") == 0


@pytest.mark.parametrize("blanks", [0, 5000], ids=["fits", "above the limit"])
def test_body_without_a_length_has_the_same_limit(
    client: JsonClient, counted: Counted, valid: dict[str, object], blanks: int
) -> None:
    """Whether it is announced or sent in chunks, and whatever it consists of."""
    body = json.dumps(valid).encode() + b" " * blanks
    environ = {"wsgi.input": io.BytesIO(body), "wsgi.input_terminated": True}
    answer = client.post(
        "/predict", headers={"Content-Type": "application/json"}, environ_overrides=environ
    )
    assert answer.status_code == (413 if blanks else 200)
    assert counted("predictions_total") == (0 if blanks else 1)


def test_byte_order_mark_is_passed_over(client: JsonClient, valid: dict[str, object]) -> None:
    body = codecs.BOM_UTF8 + json.dumps(valid).encode()
    answer = client.post("/predict", data=body, headers={"Content-Type": "application/json"})
    assert answer.status_code == 200


def test_long_values_are_not_echoed_whole(client: JsonClient, valid: dict[str, object]) -> None:
    message = client.post("/predict", json=valid | {"amount": "x" * 3000}).json["error"]["message"]
    assert len(message) < 200


def test_wrong_method_names_the_right_one(client: JsonClient) -> None:
    assert "POST" in client.get("/predict").headers["Allow"]


def test_fault_of_the_service_is_a_500_in_the_same_shape(
    app: Flask,
    scorer: LocationRiskScorer,
    counted: Counted,
    valid: dict[str, object],
    caplog: pytest.LogCaptureFixture,
) -> None:
    """The caller learns the request id and nothing of the fault; the log says where it was."""
    scorer.fault = ZeroDivisionError("secret")
    answer = make_client(app).post("/predict", json=valid)
    assert answer.status_code == 500
    assert answer.json["error"]["type"] == "internal"
    assert "secret" not in answer.text + caplog.text
    assert "ZeroDivisionError" in caplog.text
    assert counted("errors_total", type="internal", endpoint="/predict") == 1
    assert counted("http_requests_total", endpoint="/predict", status="500") == 1


def test_counting_goes_on_after_a_fault(
    app: Flask, scorer: LocationRiskScorer, counted: Counted, valid: dict[str, object]
) -> None:
    """No request stays in flight, and the next one is answered."""
    client = make_client(app)
    scorer.fault = ZeroDivisionError()
    client.post("/predict", json=valid)
    scorer.fault = None
    assert client.post("/predict", json=valid).status_code == 200
    assert counted("queue_size") == 0
