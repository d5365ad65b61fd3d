"""`GET /health/ready`: 503 with the reason while the process must not get traffic."""

from __future__ import annotations

import dataclasses

import pytest
from flask import Flask

from handler import create_app
from service.receipts import Receipts
from service.settings import Settings
from telemetry.lifecycle import Telemetry
from tests.conftest import Counted, LocationRiskScorer
from tests.json_client import JsonClient, make_client


def test_ready_while_all_is_well(client: JsonClient) -> None:
    answer = client.get("/health/ready")
    assert (answer.status_code, answer.json) == (200, {"status": "ready"})


def test_model_that_cannot_score_is_the_reason(
    client: JsonClient, scorer: LocationRiskScorer
) -> None:
    """And it is ready again when the model is; a reason never quotes the model's own message."""
    scorer.fault = RuntimeError("secret")
    answer = client.get("/health/ready")
    assert answer.status_code == 503
    assert answer.json == {
        "status": "not ready",
        "reason": "the model 1-abcd1234 cannot score: RuntimeError",
    }
    scorer.fault = None
    assert client.get("/health/ready").status_code == 200


def test_process_that_is_stopping_is_not_ready(app: Flask, client: JsonClient) -> None:
    """It still answers predictions: what was sent to it is finished."""
    app.extensions["parts"].readiness.begin_shutdown()
    answer = client.get("/health/ready")
    assert (answer.status_code, answer.json["reason"]) == (503, "the process is stopping")
    assert client.get("/health/live").status_code == 200


def test_counters_that_cannot_be_written_are_the_reason(
    scorer: LocationRiskScorer, recorded: Telemetry, settings: Settings
) -> None:
    class Unwritable(Telemetry):
        def why_not_writable(self) -> str | None:
            return "STATE_DIR is full"

    fields = {one.name: getattr(recorded, one.name) for one in dataclasses.fields(recorded)}
    app = create_app(scorer, Unwritable(**fields), Receipts(["k"]), settings)
    answer = make_client(app).get("/health/ready")
    assert (answer.status_code, answer.json["reason"]) == (503, "STATE_DIR is full")


@pytest.mark.parametrize("path", ["/health/ready", "/health/live"])
def test_probe_is_not_counted_as_a_prediction(
    client: JsonClient, counted: Counted, path: str
) -> None:
    client.get(path)
    assert counted("predictions_total") == 0
    assert counted("prediction_latency_seconds_count") == 0
