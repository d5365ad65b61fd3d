"""Live values are counted in the bins of the card's baseline, each in exactly one."""

from __future__ import annotations

import math
from collections.abc import Callable

import pytest
from flask.testing import FlaskClient

from telemetry.baseline import Baseline
from tests.conftest import total

NUMBER = Baseline("n", (0.25, 0.25, 0.5), (10.0, 20.0), low=0.0, high=50.0, missing=0.0)
CATEGORY = Baseline("c", (0.7, 0.2), categories=("red", "blue"), missing=0.1)


@pytest.mark.parametrize(
    ("value", "bin"),
    [
        (-0.1, "below"),
        (0.0, "01"),
        (10.0, "01"),
        (10.1, "02"),
        (20.0, "02"),
        (20.1, "03"),
        (50.0, "03"),
        (50.1, "above"),
        (math.nan, "missing"),
    ],
)
def test_number_has_its_bin(value: float, bin: str) -> None:
    assert NUMBER.bin_of(value) == bin


@pytest.mark.parametrize(("code", "bin"), [(0.0, "red"), (1.0, "blue"), (math.nan, "missing")])
def test_category_has_its_bin(code: float, bin: str) -> None:
    assert CATEGORY.bin_of(code) == bin


@pytest.mark.parametrize("baseline", [NUMBER, CATEGORY], ids=["number", "category"])
def test_shares_add_up_to_one(baseline: Baseline) -> None:
    assert sum(baseline.share_of(bin) for bin in baseline.bins()) == pytest.approx(1)


def test_live_values_are_counted_in_their_bins(
    client: FlaskClient, counted: Callable[..., float], valid: dict[str, object]
) -> None:
    client.post("/predict", json=valid | {"location_risk": 0.35})
    assert counted("feature_values_total", feature="location_risk", bin="04") == 1
    assert counted("feature_values_total", feature="location_risk") == 1
    assert counted("feature_values_total") == 5
    assert counted("score_values_total", bin="04") == counted("score_values_total") == 1


def test_sums_for_the_expected_performance(
    client: FlaskClient, counted: Callable[..., float], valid: dict[str, object]
) -> None:
    for risk in (0.2, 0.6, 0.9):
        client.post("/predict", json=valid | {"location_risk": risk})
    assert counted("prediction_probability_total", class_name="fraud") == pytest.approx(1.5)
    assert counted("prediction_probability_total", class_name="legitimate") == pytest.approx(0.2)
    assert counted("prediction_uncertainty_total", class_name="fraud") == pytest.approx(0.33)


def test_simulated_traffic_is_no_live_data(
    client: FlaskClient, counted: Callable[..., float]
) -> None:
    client.post("/simulate_traffic", json={"num_requests": 50})
    assert counted("feature_values_total") == 0


@pytest.mark.parametrize(
    ("broken", "problem"),
    [({"age": "x"}, "wrong_type"), ({"age": 5}, "out_of_range"), ({"age": None}, "wrong_type")],
)
def test_refused_value_is_counted_by_its_feature(
    client: FlaskClient,
    counted: Callable[..., float],
    valid: dict[str, object],
    broken: dict[str, object],
    problem: str,
) -> None:
    client.post("/predict", json=valid | broken)
    assert counted("data_quality_total", feature="age", problem=problem) == 1
    assert counted("data_quality_total") == 1


def test_missing_field_is_counted_by_its_feature(
    client: FlaskClient, counted: Callable[..., float], valid: dict[str, object]
) -> None:
    del valid["amount"]
    client.post("/predict", json=valid)
    assert counted("data_quality_total", feature="amount", problem="missing") == 1


def test_baseline_is_published_beside_the_counts(client: FlaskClient) -> None:
    text = client.get("/metrics").text
    assert total(text, "feature_baseline_share", feature="age") == pytest.approx(1)
    assert total(text, "feature_baseline_share", feature="age", bin="below") == 0
