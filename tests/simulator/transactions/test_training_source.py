"""Customers of any model: distributed as in training, each as their type has it."""

from __future__ import annotations

import json
import sys
from bisect import bisect_left
from collections import Counter
from collections.abc import Container
from random import Random
from typing import Any

import pytest

from simulator.contract.model_info import ModelInfo
from simulator.contract.vocabulary import VALID
from simulator.target.model_info_parser import parse_model_info
from simulator.traffic.arrivals import LoadProfile
from simulator.traffic.invalid_share import InvalidShare
from simulator.traffic.planned_request import PlannedRequest
from simulator.traffic.request_plan import TrafficSpec, plan_requests
from simulator.transactions.training_source import TrainingSource
from tests.simulator.faulty_target import describe_model, find_fault


def plan_valid(info: ModelInfo, count: int) -> list[PlannedRequest]:
    """Valid requests of seed 2."""
    return list(plan_requests(info, 2, TrafficSpec(LoadProfile(count=count), InvalidShare(0, 1))))


def test_customers_of_each_type_differ(info: ModelInfo) -> None:
    """Premium customers own and pay more; the shares are those of training."""
    planned = plan_valid(info, 6000)
    by_type = {
        t: [json.loads(r.body) for r in planned if r.user_type == t]
        for t in ("premium", "standard", "basic")
    }

    median = {
        t: sorted(row["amount"] for row in rows)[len(rows) // 2] for t, rows in by_type.items()
    }
    assert median["premium"] > 2 * median["standard"] > 3 * median["basic"]
    assert min(row["account_balance"] for row in by_type["premium"]) >= 10_000
    assert max(row["account_balance"] for row in by_type["basic"]) < 1500
    assert len(by_type["basic"]) / len(planned) == pytest.approx(0.3, abs=0.02)


def test_customers_say_their_type_half_of_the_time(info: ModelInfo) -> None:
    """Both ways of the schema are walked, and what is said is true."""
    said = [(r.user_type, json.loads(r.body).get("user_type")) for r in plan_valid(info, 2000)]

    assert {(t, s) for t, s in said if s is not None} == {
        (t, t) for t in ("premium", "standard", "basic")
    }
    assert sum(s is not None for _, s in said) / len(said) == pytest.approx(0.5, abs=0.05)


@pytest.mark.parametrize("feature", ["amount", "age", "account_balance", "location_risk"])
def test_customers_are_distributed_as_training(info: ModelInfo, feature: str) -> None:
    """A tenth of the values lies between each two deciles, so steady traffic is no drift."""
    quantiles = next(f["quantiles"] for f in describe_model()["features"] if f["name"] == feature)
    source, random, n = TrainingSource(info), Random(4), 20_000

    values = [source.sample(random).transaction[feature] for _ in range(n)]
    counts = Counter(bisect_left(quantiles[1:-1], value) for value in values)

    # Five standard errors of a share of 0.1; whole years lie on the deciles, so theirs are wider.
    tolerance = 5 * (0.09 / n) ** 0.5 if feature != "age" else 0.03
    assert [counts[i] / n for i in range(10)] == pytest.approx([0.1] * 10, abs=tolerance)


def test_customers_follow_the_bins_of_training() -> None:
    """Whole numbers with many equal values, categories, booleans, and what is missing."""
    description = {
        "features": [
            {
                "name": "n",
                "type": "integer",
                "quantiles": [0, 0, 0, 1, 1, 2, 9],
                "baseline": {"edges": [0, 1, 2], "shares": [0.45, 0.25, 0.2, 0.1]},
            },
            {
                "name": "shop",
                "type": "category",
                "categories": ["food", "travel"],
                "baseline": {"shares": [0.9, 0.1]},
            },
            {
                "name": "night",
                "type": "boolean",
                "nullable": True,
                "baseline": {"shares": [0.6, 0.2], "missing": 0.2},
            },
        ],
    }
    source, random, n = TrainingSource(parse_model_info(description)), Random(4), 20_000

    rows = [source.sample(random).transaction for _ in range(n)]

    def share(name: str, values: Container[object]) -> float:
        return sum(row[name] in values for row in rows) / n

    tolerance = 5 * (0.25 / n) ** 0.5
    assert share("n", [0]) == pytest.approx(0.45, abs=tolerance)
    assert share("n", [1]) == pytest.approx(0.25, abs=tolerance)
    assert share("n", range(3, 10)) == pytest.approx(0.1, abs=tolerance)
    assert share("shop", ["travel"]) == pytest.approx(0.1, abs=tolerance)
    assert share("night", [None]) == pytest.approx(0.2, abs=tolerance)
    assert share("night", [False]) == pytest.approx(0.6, abs=tolerance)


def test_customers_of_any_model() -> None:
    """Numbers, whole numbers, booleans and categories; ranges open or stated; no quantiles."""
    description: dict[str, Any] = {
        "version": "x",
        "features": [
            {"name": "v1", "type": "number", "quantiles": [-30.0, -1, -0.5, 0, 0.5, 1, 25.0]},
            {"name": "hour", "type": "integer", "minimum": 0, "maximum": 23},
            {"name": "night", "type": "boolean"},
            {"name": "shop", "type": "category", "categories": ["food", "travel"]},
        ],
        "user_types": None,
    }
    spec = TrafficSpec(LoadProfile(count=600), InvalidShare(0.2, 1000))
    requests = list(plan_requests(parse_model_info(description), 1, spec))

    valid = [json.loads(r.body) for r in requests if r.kind == VALID]
    assert {row["shop"] for row in valid} == {"food", "travel"}
    assert {row["night"] for row in valid} == {True, False}
    assert {row["hour"] for row in valid} == set(range(24))
    assert not any("user_type" in row for row in valid)
    assert {find_fault(r.body, description) for r in requests if r.kind == VALID} == {None}
    for kind in ("missing_field", "wrong_type", "out_of_range", "unknown_field"):
        invalid = [r.body for r in requests if r.kind == kind]
        assert invalid and {find_fault(body, description) for body in invalid} == {kind}


def test_drift_without_user_types_rises_too() -> None:
    """A model that knows no customers."""
    info = parse_model_info(describe_model() | {"user_types": None})
    source, random = TrainingSource(info), Random(1)

    amounts = [source.sample(random, "drift").transaction["amount"] for _ in range(2000)]

    assert sum(float(amount or 0) > 60 for amount in amounts) / 2000 == (
        pytest.approx(0.75, abs=0.04)
    )


def test_values_at_the_ends_of_floating_point_stay_numbers() -> None:
    """A column whose training rows reach to 1.797e308, both ways: every value can be sent."""
    largest = 1.797e308
    features = [
        {"name": "a", "type": "number", "quantiles": [-largest, -1, 0, 1, largest]},
        {"name": "b", "type": "number", "quantiles": [0.0, 1, 2, largest], "minimum": -largest},
        {"name": "c", "type": "integer", "minimum": -largest, "maximum": largest},
        {"name": "d", "type": "number", "quantiles": [1, 2, sys.float_info.max]},
    ]
    description = {"features": features}
    spec = TrafficSpec(LoadProfile(count=500), InvalidShare(0.2, 10))

    requests = list(plan_requests(parse_model_info(description), 1, spec))

    for request in requests:
        if request.kind == VALID:
            assert find_fault(request.body, description) is None
            assert b"NaN" not in request.body and b"Infinity" not in request.body
