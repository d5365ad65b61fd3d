"""Live values are counted in the bins of the card's baseline, each in exactly one."""

from __future__ import annotations

import math
import random
from collections.abc import Callable

import numpy as np
import pytest
from flask.testing import FlaskClient

from telemetry.baseline import Baseline
from telemetry.bin_counts import BinCounts
from tests.conftest import total

NUMBER = Baseline("n", (0.25, 0.25, 0.5), (10.0, 20.0), low=0.0, high=50.0, missing=0.0)
CATEGORY = Baseline("c", (0.7, 0.2), categories=("red", "blue"), missing=0.1)


def count_in_bins(baseline: Baseline, values: list[float]) -> dict[str, int]:
    """How many fall into each bin that is not empty; counted one by one and as a column."""
    cell_of = {bin: number for number, bin in enumerate(baseline.bins())}
    bins = BinCounts(baseline, cell_of)
    alone, column = (memoryview(bytearray(8 * len(cell_of))).cast("d") for _ in range(2))
    for value in values:
        bins.add(alone, value)
    bins.add_all(column, np.array(values, dtype=np.float64))
    assert alone.tolist() == column.tolist()
    return {bin: int(alone[cell]) for bin, cell in cell_of.items() if alone[cell]}


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
    assert count_in_bins(NUMBER, [value]) == {bin: 1}


@pytest.mark.parametrize(("code", "bin"), [(0.0, "red"), (1.0, "blue"), (math.nan, "missing")])
def test_category_has_its_bin(code: float, bin: str) -> None:
    assert count_in_bins(CATEGORY, [code]) == {bin: 1}


@pytest.mark.parametrize("baseline", [NUMBER, CATEGORY], ids=["number", "category"])
@pytest.mark.parametrize("seed", range(20))
def test_column_is_counted_as_its_values_are(baseline: Baseline, seed: int) -> None:
    draw = random.Random(seed)
    drawn = [0.0, 1.0, math.nan]
    if baseline is NUMBER:
        drawn += [
            -0.1,
            -0.0,
            10.0,
            math.nextafter(10, 11),
            20.0,
            50.0,
            math.nextafter(50, 51),
            33.3,
        ]
    count_in_bins(baseline, [draw.choice(drawn) for _ in range(draw.randrange(50))])


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
    """One population for every ratio: neither its scores nor its faults are those of callers."""
    client.post("/simulate_traffic", json={"num_requests": 500})
    assert counted("errors_total", endpoint="/simulate_traffic") > 0
    for name in ("feature_values_total", "served_total", "data_quality_total"):
        assert counted(name) == 0


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


RANGES = [
    ((0.0, 100.0), (12.5, 24.0), ["0 to 12.5", "12.5 to 24", "24 to 100", "below 0", "above 100"]),
    ((), (0.00024567, 0.5), ["up to 0.0002457", "0.0002457 to 0.5", "over 0.5"]),
    (
        (-1234567.0, 5e13),
        (2187.62, 25331.4),
        [
            *("-1,234,567 to 2,188", "2,188 to 25,330", "25,330 to 5e+13"),
            *("below -1,234,567", "above 5e+13"),
        ],
    ),
]


@pytest.mark.parametrize(
    ("ends", "edges", "expected"), RANGES, ids=["feature", "score", "thousands"]
)
def test_bin_of_numbers_says_what_it_holds(
    ends: tuple[float, ...], edges: tuple[float, ...], expected: list[str]
) -> None:
    low, high = ends or (-math.inf, math.inf)
    baseline = Baseline("x", (0.2, 0.3, 0.5), edges, low, high)
    assert [baseline.range_of(bin) for bin in baseline.bins()] == expected


def test_category_is_its_own_range() -> None:
    baseline = Baseline("place", (0.5, 0.5), categories=("home", "abroad"), missing=0.1)
    assert [baseline.range_of(bin) for bin in baseline.bins()] == ["home", "abroad", "missing"]


def test_baseline_is_published_beside_the_counts(client: FlaskClient) -> None:
    text = client.get("/metrics").text
    assert total(text, "feature_baseline_share", feature="age") == pytest.approx(1)
    assert total(text, "feature_baseline_share", feature="age", bin="below") == 0
