"""Whatever the target answers, the simulator ends with a sentence or counts it: never a trace."""

from __future__ import annotations

import json
from typing import Any

import pytest

from simulator.main import main
from simulator.target.feedback import NotAccepted, parse_results
from simulator.target.predict import Response, parse_response
from tests.simulator.faulty_target import ScoringServer, describe_model, serve

DEEP = b"[" * 200_000
HUGE = b"1" + b"0" * 400


@pytest.mark.parametrize(
    ("body", "probability"),
    [
        (b'{"fraud_probability": 0.25}', 0.25),
        (b'{"fraud_probability": %b}' % HUGE, None),
        (b'{"fraud_probability": 1e999}', None),
        (b'{"fraud_probability": NaN}', None),
        (b'{"fraud_probability": true}', None),
        (b'{"fraud_probability": "0.25"}', None),
        (DEEP, None),
        (b"\xff\xfe", None),
        (b"[]", None),
    ],
)
def test_response_of_any_body(body: bytes, probability: float | None) -> None:
    """What is no probability is not said."""
    assert parse_response(200, body) == Response(200, fraud_probability=probability)


def test_results_of_any_body() -> None:
    """A page, or JSON that is nested too deep."""
    assert parse_results(200, DEEP, 1) == NotAccepted("200 without results", final=True)
    assert parse_results(502, DEEP, 1) == NotAccepted("502")


@pytest.mark.parametrize(
    ("document", "sentence"),
    [
        (DEEP, "did not answer with JSON"),
        (b'{"features": [{"name": "x", "type": "number", "maximum": %b}]}' % HUGE, "a number"),
        (b'{"features": [{"name": "x", "type": "number", "maximum": Infinity}]}', "a number"),
    ],
    ids=["deep", "huge", "infinite"],
)
def test_model_info_of_any_body(
    target: ScoringServer, capsys: pytest.CaptureFixture[str], document: bytes, sentence: str
) -> None:
    """One sentence and code 1."""
    target.model_info = document

    assert main(["--url", target.url, "--count", "3"]) == 1
    assert sentence in capsys.readouterr().err


def test_model_info_of_many_features_is_read_to_its_end(
    target: ScoringServer, capsys: pytest.CaptureFixture[str]
) -> None:
    """Hundreds of features are some megabytes, which arrive in many pieces."""
    document: dict[str, Any] = describe_model()
    document["features"] += [
        {
            "name": f"v{n}",
            "type": "number",
            "quantiles": list(range(200)),
            "description": "x" * 3000,
        }
        for n in range(900)
    ]
    target.model_info = document
    assert len(json.dumps(document)) > 3_000_000

    code = main(f"--url {target.url} --rate 50 --count 5 --faulty 0 --json --quiet".split())

    summary = json.loads(capsys.readouterr().out)
    assert (code, summary["by_status"]) == (0, {"200": 5})


def test_target_on_ipv6() -> None:
    """As of a service with HOST=::1."""
    with serve(ScoringServer("::1")) as server:
        assert main(f"--url {server.url} --rate 100 --count 5 --quiet".split()) == 0
        assert len(server.received) == 5


def test_name_that_cannot_be_looked_up(capsys: pytest.CaptureFixture[str]) -> None:
    """Its look-up fails before any network: too long for a name."""
    assert main(["--url", f"http://{'a' * 70}.example", "--count", "3"]) == 1
    assert "cannot be reached" in capsys.readouterr().err
