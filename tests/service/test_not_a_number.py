"""What is no number is added to no sum: it would be none for ever, also for a successor."""

from __future__ import annotations

import math
from pathlib import Path
from unittest.mock import Mock

import msgspec
import pytest

from handler import create_app
from service.explanations import Explanations
from service.model_metadata import describe_models
from service.receipts import Receipts
from service.settings import read_settings
from telemetry.lifecycle import Telemetry, start
from tests.conftest import SILENT, Counted, LocationRiskScorer, total
from tests.json_client import JsonClient, make_client


@pytest.mark.parametrize("probability", [math.nan, math.inf])
def test_model_that_gives_no_probability_is_a_failure_and_nothing_else(
    client: JsonClient,
    scorer: LocationRiskScorer,
    counted: Counted,
    valid: dict[str, object],
    monkeypatch: pytest.MonkeyPatch,
    probability: float,
) -> None:
    """As where a linear model's sum overflows."""
    monkeypatch.setattr(scorer, "score", lambda rows: [probability for _ in rows])
    answer = client.post("/predict", json=valid)
    assert (answer.status_code, answer.json["error"]["type"]) == (500, "internal")
    assert counted("fraud_detection_score_sum") == 0
    assert counted("predictions_total") == 0


def test_contribution_that_is_no_number_is_not_counted(
    scorer: LocationRiskScorer, recorded: Telemetry, counted: Counted
) -> None:
    """Of a transaction that has a probability, mixed with others it may have none."""
    features = len(scorer.card.features)
    explainer = Mock()
    explainer.estimate.return_value.contributions = [math.nan] * features
    explanations = Explanations(scorer.card, explainer, 100, recorded.recorder)
    explanations._record(explainer, [0.0] * features)
    assert counted("explanations_total") == counted("feature_attribution_total") == 0


@pytest.mark.parametrize("rows", [1, 30], ids=["one", "many"])
def test_value_that_is_not_known_is_not_counted(
    tmp_path: Path, valid: dict[str, object], rows: int
) -> None:
    """The feature that is the transaction's value may be null."""
    scorer = LocationRiskScorer()
    first, *others = scorer.card.features
    first = msgspec.structs.replace(first, nullable=True)
    scorer.card = msgspec.structs.replace(scorer.card, features=(first, *others))
    facts = describe_models(scorer, None)
    telemetry = start(tmp_path, facts, 5000, SILENT)
    client = make_client(create_app(scorer, telemetry, Receipts(["key"]), read_settings({})))
    transactions = [valid, *[valid | {first.name: None}] * rows]
    assert client.post("/predict", json={"transactions": transactions}).status_code == 200
    assert telemetry.exposition is not None
    shown = telemetry.exposition.render("")[0].decode()
    assert total(shown, "predictions_total") == rows + 1
    assert total(shown, "transaction_value_euros_count") == 1
    assert total(shown, "transaction_value_euros_sum") == valid[first.name]
    telemetry.close(1)
