"""A second model: it is compared, it may serve its share, and it never harms an answer."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import msgspec
import pytest

from model.serving.cohorts import OLDEST_SECONDS, find_cohort
from model.serving.errors import ModelError
from service.challenger import Challenger, TrafficSplit, check_same_schema
from service.circuit_breaker import RETRY_SECONDS, CircuitBreaker
from service.feedback import Feedback, LabelledReceipt
from service.receipts import Receipt, Receipts, ShadowPrediction, derive_routing_secret
from service.used_receipts import SqliteUsedReceipts
from telemetry.lifecycle import Telemetry
from telemetry.recorder import Recorder
from tests.conftest import LocationRiskScorer, make_card, total
from tests.json_client import JsonClient
from tests.lab.polling import until
from tests.service.conftest import MakeClient, Other


def counted(client: JsonClient, name: str, **labels: str) -> float:
    return total(client.get("/metrics").text, name, **labels)


def test_shadow_is_compared_and_does_not_answer(
    with_challenger: MakeClient, valid: dict[str, object]
) -> None:
    """Champion 0.2 and legitimate, challenger 0.9 and fraud: the answer is the champion's."""
    client = with_challenger(100, 0)
    answer = client.post("/predict", json=valid).json
    assert (answer["fraud_probability"], answer["model_version"]) == (0.2, "1-abcd1234")
    until(lambda: counted(client, "challenger_requests_total", result="scored") == 1, 30, "scored")
    pair = {"champion": "legitimate", "challenger": "fraud"}
    until(lambda: counted(client, "challenger_decisions_total", **pair) == 1, 30, "compared")
    assert counted(client, "challenger_score_difference_sum") == pytest.approx(0.7)


def test_failing_shadow_is_counted_and_not_noticed(
    with_challenger: MakeClient, other: Other, valid: dict[str, object]
) -> None:
    client = with_challenger(100, 0)
    other.fault = RuntimeError("broken")
    assert client.post("/predict", json=valid).json["fraud_probability"] == 0.2
    until(lambda: counted(client, "challenger_requests_total", result="failed") == 1, 30, "failed")


def test_hanging_shadow_holds_nothing_up(
    with_challenger: MakeClient, other: Other, valid: dict[str, object]
) -> None:
    """It hangs with the first request; the queue fills, the rest is skipped, all are answered."""
    client = with_challenger(100, 0, wait=0.005)
    other.delay = 30
    began = time.monotonic()
    for _ in range(100):
        assert client.post("/predict", json=valid).status_code == 200
    assert time.monotonic() - began < 25
    assert counted(client, "challenger_requests_total", result="skipped") >= 30


def test_serving_challenger_answers_its_keys(
    with_challenger: MakeClient, valid: dict[str, object]
) -> None:
    """At 50 % each key always has the same model, and about half of the keys have each."""
    client = with_challenger(0, 50)

    def version(key: int) -> str:
        headers = {"X-Routing-Key": f"customer-{key}"}
        answer = client.post("/predict", json=valid, headers=headers).json
        return str(answer["model_version"])

    first = [version(key) for key in range(200)]
    assert [version(key) for key in range(200)] == first
    assert 70 <= first.count("2-other") <= 130
    assert counted(client, "served_total", role="challenger") == 2 * first.count("2-other")
    for role in ("champion", "challenger"):
        assert counted(client, "expected_served_total", role=role) == pytest.approx(200)
    assert counted(client, "split_transactions_total") == 400


def test_receipt_names_the_model_that_answered(
    with_challenger: MakeClient, valid: dict[str, object]
) -> None:
    answer = with_challenger(0, 100).post("/predict", json=valid).json
    assert answer["model_version"] == "2-other"
    assert Receipts(["k"]).read(answer["receipt"])[0].model_version == "2-other"


@pytest.mark.parametrize(("fault", "delay", "result"), [(True, 0, "failed"), (False, 2, "late")])
def test_champion_answers_for_a_challenger_that_cannot(
    with_challenger: MakeClient,
    other: Other,
    valid: dict[str, object],
    fault: bool,
    delay: float,
    result: str,
) -> None:
    client = with_challenger(0, 100)
    other.fault, other.delay = (RuntimeError() if fault else None), delay
    assert client.post("/predict", json=valid).json["model_version"] == "1-abcd1234"
    assert counted(client, "challenger_requests_total", result=result) == 1


def test_model_info_shows_the_challenger(with_challenger: MakeClient) -> None:
    assert with_challenger(100, 10).get("/model_info").json["challenger"] == {
        "version": "2-other",
        "shadow_percent": 100,
        "serves_percent": 10,
    }


def test_challenger_with_other_fields_is_refused() -> None:
    other = msgspec.structs.replace(make_card(), version="2-x", features=make_card().features[:4])
    with pytest.raises(ModelError, match="2-x takes other fields than champion 1-abcd1234"):
        check_same_schema(make_card(), other)


def send_label(client: JsonClient, receipt: str, label: str = "fraud") -> Any:
    return client.post("/feedback", json={"receipt": receipt, "label": label}).json


def read(answer: dict[str, Any]) -> Receipt:
    return Receipts(["k"]).read(answer["receipt"])[0]


@pytest.mark.parametrize(("shares", "first"), [((100, 0), "champion"), ((0, 100), "challenger")])
def test_outcome_is_counted_jointly_whoever_answered(
    with_challenger: MakeClient, valid: dict[str, object], shares: tuple[int, int], first: str
) -> None:
    """Champion legitimate, challenger fraud, label fraud: once, in that cell alone."""
    client = with_challenger(*shares)
    receipt = client.post("/predict", json=valid).json["receipt"]
    for _ in range(2):
        send_label(client, receipt)
    cell = {"champion": "legitimate", "challenger": "fraud", "truth": "fraud"}
    assert counted(client, "paired_outcomes_total", **cell) == 1
    assert counted(client, "paired_outcomes_total") == 1
    assert counted(client, "outcomes_total", role=first) == 1
    assert counted(client, "challenger_decisions_total") == 1


@pytest.mark.parametrize("shares", [(100, 0), (0, 100)])
def test_prediction_and_outcome_are_counted_in_the_week_of_the_prediction(
    with_challenger: MakeClient, valid: dict[str, object], shares: Any
) -> None:
    client = with_challenger(*shares)
    answer = client.post("/predict", json=valid).json
    send_label(client, answer["receipt"])
    issued = Receipts(["k"]).read(answer["receipt"])[1]
    cell = {"champion": "legitimate", "challenger": "fraud", "cohort": find_cohort(issued)}
    assert counted(client, "paired_predictions_total", **cell) == 1
    assert counted(client, "paired_predictions_total") == 1
    assert counted(client, "paired_cohort_outcomes_total", truth="fraud", **cell) == 1
    assert counted(client, "paired_cohort_outcomes_total") == 1


def test_outcome_of_an_old_prediction_is_in_no_cohort(
    with_challenger: MakeClient, valid: dict[str, object], monkeypatch: pytest.MonkeyPatch
) -> None:
    client, clock = with_challenger(100, 0), time.time
    monkeypatch.setattr(time, "time", lambda: clock() - OLDEST_SECONDS - 1)
    receipt = client.post("/predict", json=valid).json["receipt"]
    monkeypatch.undo()
    send_label(client, receipt)
    assert counted(client, "paired_outcomes_total") == 1
    assert counted(client, "paired_cohort_outcomes_total") == 0


def test_batch_has_both_decisions_row_by_row(
    with_challenger: MakeClient, valid: dict[str, object]
) -> None:
    rows = [valid | {"location_risk": risk} for risk in (0.1, 0.6, 0.3)]
    answers = (
        with_challenger(100, 0).post("/predict", json={"transactions": rows}).json["predictions"]
    )
    receipts = [read(answer) for answer in answers]
    assert [one.probability for one in receipts] == [0.1, 0.6, 0.3]
    assert {
        (one.shadow.model_version, one.shadow.probability) for one in receipts if one.shadow
    } == {("2-other", 0.9)}
    assert all(one.shadow for one in receipts)


def test_failing_champion_does_not_touch_the_challengers_answer(
    with_challenger: MakeClient, scorer: LocationRiskScorer, valid: dict[str, object]
) -> None:
    client = with_challenger(0, 100)
    scorer.fault = RuntimeError("broken")
    answer = client.post("/predict", json=valid).json
    assert (answer["model_version"], read(answer).shadow) == ("2-other", None)


def test_without_the_challengers_decision_the_receipt_has_one(
    with_challenger: MakeClient, other: Other, valid: dict[str, object]
) -> None:
    client = with_challenger(100, 0)
    other.fault = RuntimeError("broken")
    answer = client.post("/predict", json=valid).json
    assert read(answer).shadow is None
    assert send_label(client, answer["receipt"])["result"] == "counted"
    assert counted(client, "paired_outcomes_total") == 0


def test_pair_of_earlier_roles_is_not_counted_jointly(with_challenger: MakeClient) -> None:
    """A receipt whose second model is not loaded any more still counts for the first."""
    client = with_challenger(100, 0)
    shadow = ShadowPrediction("0-earlier", "fraud", 0.9)
    receipt = Receipts(["k"]).issue("1-abcd1234", "fraud", 0.6, "basic", "low", shadow)
    assert send_label(client, receipt)["result"] == "counted"
    assert counted(client, "paired_outcomes_total") == 0


def test_circuit_breaker_opens_after_a_failure_and_closes_after_a_success() -> None:
    """One trial in RETRY_SECONDS until one succeeds: so a challenger that hangs costs a worker no
    more than that one wait."""
    now = [0.0]
    breaker = CircuitBreaker(0.005, lambda: now[0])
    assert [breaker.allowed_wait() for _ in range(3)] == [0.005] * 3
    breaker.record_failure()
    assert breaker.allowed_wait() == 0
    now[0] += RETRY_SECONDS
    assert [breaker.allowed_wait() for _ in range(3)] == [0.005, 0, 0]
    now[0] += RETRY_SECONDS
    assert breaker.allowed_wait() == 0.005
    breaker.record_success()
    assert [breaker.allowed_wait() for _ in range(3)] == [0.005] * 3


def test_after_a_wait_in_vain_the_next_answer_does_not_wait(
    with_challenger: MakeClient, other: Other, valid: dict[str, object]
) -> None:
    """The second answer would have its decision if it waited."""
    client = with_challenger(100, 0, wait=0.005)
    other.delay = 2
    assert read(client.post("/predict", json=valid).json).shadow is None
    other.delay = 0.0
    assert read(client.post("/predict", json=valid).json).shadow is None
    until(lambda: counted(client, "challenger_requests_total", result="scored") == 2, 30, "scored")
    assert counted(client, "challenger_decisions_total") == 2


def test_pair_that_a_killed_worker_wrote_down_is_counted_by_its_successor(
    recorded: Telemetry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The worker ends between storing and counting: its successor counts both decisions."""
    receipts, used = Receipts(["k"]), SqliteUsedReceipts(tmp_path / "used")
    roles = {"1": "champion", "2": "challenger"}

    def worker() -> Feedback:
        return Feedback(receipts, used, recorded.recorder, "slot", roles, 60)

    receipt = receipts.issue(
        "2", "fraud", 0.9, "basic", "low", ShadowPrediction("1", "legitimate", 0.2)
    )
    with monkeypatch.context() as dying:
        dying.setattr(Recorder, "record_outcome", lambda *_: (_ for _ in ()).throw(SystemExit))
        with pytest.raises(SystemExit):
            worker().count(LabelledReceipt(receipt, "fraud"))
    for _ in range(2):
        worker().recover()
    assert recorded.exposition is not None
    text = recorded.exposition.render("")[0].decode()
    cell = {"champion": "legitimate", "challenger": "fraud", "truth": "fraud"}
    assert total(text, "paired_outcomes_total", **cell) == 1
    assert total(text, "paired_outcomes_total") == total(text, "outcomes_total") == 1


def test_share_of_a_routing_key_depends_on_the_services_secret(
    other: Other, recorded: Telemetry
) -> None:
    """Whoever knows the code cannot choose a key for the model that he wants."""

    def served(keys: str) -> list[bool]:
        split = TrafficSplit(0, 50, 1, 0, derive_routing_secret([keys]))
        challenger = Challenger(other, split, recorded.recorder)
        return [challenger.serves(f"customer-{number}", 1) for number in range(200)]

    assert served("one") == served("one")
    assert served("one") != served("another")
    assert 60 <= sum(served("one")) <= 140
