"""`POST /predict?explain=true`: reasons that add up to the score."""

import dataclasses

import numpy as np
import pytest

from handler import create_app
from model.serving.explain import Explainer
from service.explanations import MOST_SAMPLED_PER_SECOND
from service.receipts import Receipts
from service.settings import TABLE, Settings
from telemetry.lifecycle import Telemetry
from tests.conftest import Counted, LocationRiskScorer, total
from tests.json_client import JsonClient, make_client
from tests.lab.polling import until


@pytest.fixture
def explaining(scorer: LocationRiskScorer, recorded: Telemetry, settings: Settings) -> JsonClient:
    """A service whose model is its last feature, explained against rows with risks 0 and 0.4."""
    background = np.array([[10.0, 30, 1000, 1, 0.0], [90.0, 50, 9000, 9, 0.4]])
    explainer = Explainer(lambda rows: scorer.score(rows.tolist()), background)
    settings = dataclasses.replace(settings, explain_percent=100)
    app = create_app(scorer, recorded, Receipts(["k"]), settings, explainer=explainer)
    return make_client(app)


def test_reasons_name_every_feature_and_add_up(
    explaining: JsonClient, valid: dict[str, object]
) -> None:
    answer = explaining.post("/predict?explain=true", json=valid | {"location_risk": 0.8}).json
    reasons = answer["explanation"]
    assert reasons["base_value"] == pytest.approx(0.2)
    assert list(reasons["contributions"]) == list(valid)
    assert reasons["contributions"]["location_risk"] == pytest.approx(0.6)
    total = reasons["base_value"] + sum(reasons["contributions"].values())
    assert total == pytest.approx(answer["fraud_probability"])
    assert reasons["standard_errors"] is None


def test_no_reasons_unless_asked_for(explaining: JsonClient, valid: dict[str, object]) -> None:
    assert "explanation" not in explaining.post("/predict", json=valid).json


def test_batch_is_explained_one_by_one(explaining: JsonClient, valid: dict[str, object]) -> None:
    body = {"transactions": [valid, valid | {"location_risk": 1.0}]}
    answers = explaining.post("/predict?explain=true", json=body).json["predictions"]
    risks = [one["explanation"]["contributions"]["location_risk"] for one in answers]
    assert risks == pytest.approx([0.0, 0.8])


def test_explained_prediction_is_counted_once(
    explaining: JsonClient, counted: Counted, valid: dict[str, object]
) -> None:
    explaining.post("/predict?explain=true", json=valid)
    assert counted("predictions_total") == 1


def test_live_predictions_feed_the_importance_of_the_features(
    explaining: JsonClient, valid: dict[str, object]
) -> None:
    """All are sampled here: only the risk matters to this model, by 0.6 from the mean of 0.2."""
    explaining.post("/predict", json=valid | {"location_risk": 0.8})

    def attributed(feature: str, **labels: str) -> float:
        text = explaining.get("/metrics").text
        return total(text, "feature_attribution_total", feature=feature, **labels)

    until(
        lambda: attributed("location_risk") > 0, 10, "the prediction is explained in the background"
    )
    assert attributed("location_risk", direction="raises") == pytest.approx(0.6)
    assert attributed("location_risk", direction="lowers") == 0
    assert total(explaining.get("/metrics").text, "explanations_total") == 1
    assert attributed("amount") == pytest.approx(0)


@pytest.mark.parametrize(
    ("query", "count", "status", "says"),
    [
        ("explain=maybe", 1, 400, "explain must be true or false, got 'maybe'"),
        ("explain=true", 11, 422, "at most 10 transactions can be explained"),
    ],
)
def test_what_cannot_be_explained_is_refused(
    explaining: JsonClient, valid: dict[str, object], query: str, count: int, status: int, says: str
) -> None:
    body = {"transactions": [valid] * count}
    answer = explaining.post(f"/predict?{query}", json=body)
    assert answer.status_code == status
    assert says in answer.json["error"]["message"]
    assert explaining.get("/health").json["total_predictions"] == 0


def test_model_without_background_says_so(client: JsonClient, valid: dict[str, object]) -> None:
    answer = client.post("/predict?explain=true", json=valid)
    assert answer.status_code == 503
    assert "published without the rows" in answer.json["error"]["message"]


def test_samples_of_live_traffic_have_a_bound(
    explaining: JsonClient, valid: dict[str, object]
) -> None:
    """A batch of which all are to be sampled costs no more than a second's worth."""
    for _ in range(3):
        explaining.post("/predict", json={"transactions": [valid | {"location_risk": 0.8}] * 20})

    def explained() -> float:
        text = explaining.get("/metrics").text
        return total(text, "feature_attribution_total", feature="location_risk") / 0.6

    until(lambda: explained() >= MOST_SAMPLED_PER_SECOND - 0.01, 30, "they are explained")
    assert explained() < 20


def test_the_bound_is_that_of_the_settings_page() -> None:
    [setting] = [one for one in TABLE if one.name == "EXPLAIN_PERCENT"]
    assert f"at most {MOST_SAMPLED_PER_SECOND} a second in each worker" in setting.meaning
