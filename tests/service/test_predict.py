"""`POST /predict`: what a caller gets for good transactions."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.json_client import JsonClient


def test_single_transaction_is_scored(client: JsonClient, valid: dict[str, object]) -> None:
    """The answer has the class, probability, risk, user type, version, receipt and request id."""
    answer = client.post("/predict", json=valid | {"location_risk": 0.8}).json
    assert answer["prediction"] == "fraud"
    assert answer["fraud_probability"] == 0.8
    assert answer["risk_level"] == "high"
    assert answer["user_type"] == "standard"
    assert answer["model_version"] == "1-abcd1234"
    assert answer["receipt"] and answer["request_id"]


@pytest.mark.parametrize(
    ("risk", "prediction", "level"),
    [
        (0.0, "legitimate", "low"),
        (0.3, "legitimate", "medium"),
        (0.5, "fraud", "medium"),
        (0.7, "fraud", "high"),
        (1.0, "fraud", "high"),
    ],
)
def test_thresholds_are_inclusive(
    client: JsonClient, valid: dict[str, object], risk: float, prediction: str, level: str
) -> None:
    answer = client.post("/predict", json=valid | {"location_risk": risk}).json
    assert (answer["prediction"], answer["risk_level"]) == (prediction, level)


@pytest.mark.parametrize(
    ("balance", "user_type"), [(0, "basic"), (1_000, "standard"), (10_000, "premium")]
)
def test_user_type_follows_from_the_balance(
    client: JsonClient, valid: dict[str, object], balance: int, user_type: str
) -> None:
    answer = client.post("/predict", json=valid | {"account_balance": balance}).json
    assert answer["user_type"] == user_type


def test_stated_user_type_wins(client: JsonClient, valid: dict[str, object]) -> None:
    assert (
        client.post("/predict", json=valid | {"user_type": "premium"}).json["user_type"]
        == "premium"
    )


def test_batch_is_answered_in_order(client: JsonClient, valid: dict[str, object]) -> None:
    rows = [valid | {"location_risk": risk} for risk in (0.1, 0.9, 0.4)]
    answer = client.post("/predict", json={"transactions": rows}).json
    assert [one["fraud_probability"] for one in answer["predictions"]] == [0.1, 0.9, 0.4]
    assert answer["model_version"] == "1-abcd1234"


def test_batch_of_the_largest_size_is_accepted(
    client: JsonClient, valid: dict[str, object]
) -> None:
    assert (
        len(client.post("/predict", json={"transactions": [valid] * 20}).json["predictions"]) == 20
    )


def test_every_transaction_of_a_batch_is_counted(
    client: JsonClient, valid: dict[str, object], counted: Callable[..., float]
) -> None:
    rows = [valid | {"location_risk": risk} for risk in (0.1, 0.9, 0.4)]
    client.post("/predict", json={"transactions": rows})
    assert counted("predictions_total") == 3
    assert counted("predictions_total", class_name="fraud", risk_level="high") == 1
    assert counted("fraud_detection_score_sum") == pytest.approx(1.4)
    assert counted("transaction_value_euros_sum", value_band="low") == pytest.approx(361.5)
    assert counted("prediction_latency_seconds_count") == 1


def test_request_id_of_the_caller_is_kept(client: JsonClient, valid: dict[str, object]) -> None:
    answer = client.post("/predict", json=valid, headers={"X-Request-ID": "order-17"})
    assert answer.json["request_id"] == answer.headers["X-Request-ID"] == "order-17"


def test_unsafe_request_id_is_replaced(client: JsonClient, valid: dict[str, object]) -> None:
    answer = client.post("/predict", json=valid, headers={"X-Request-ID": 'a b"c'})
    assert len(answer.headers["X-Request-ID"]) == 32
