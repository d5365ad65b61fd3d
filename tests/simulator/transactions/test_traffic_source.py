"""Which source a model has: the documented process only for a model that was trained on it."""

from __future__ import annotations

from random import Random
from typing import Any

import numpy as np
import pytest

from model.data import synthetic
from simulator.target.model_info_parser import parse_model_info
from simulator.transactions import synthetic_process
from simulator.transactions.synthetic_source import SyntheticSource
from simulator.transactions.traffic_source import select_traffic_source
from tests.simulator.faulty_target import describe_model


@pytest.fixture(scope="module")
def default_info() -> dict[str, Any]:
    """What the default model would tell of its training: the process's own deciles and rate."""
    made = synthetic.generate(50_000, 1)
    deciles = np.quantile(made.features, np.linspace(0, 1, 11), axis=0)
    whole = {"age", "transaction_frequency"}
    return {
        "version": "1-default",
        "features": [
            {
                "name": name,
                "type": "integer" if name in whole else "number",
                "quantiles": deciles[:, place].tolist(),
            }
            for place, name in enumerate(synthetic.FEATURES)
        ],
        "metrics": {"rows": 50_000, "frauds": int(made.fraud.sum())},
        "user_types": {
            "feature": "account_balance",
            "premium_from": 10_000,
            "standard_from": 1_500,
        },
    }


def test_default_model_is_recognised(default_info: dict[str, Any]) -> None:
    """By names, deciles and the rate of fraud."""
    info = parse_model_info(default_info)

    assert synthetic_process.matches_process(info)
    assert isinstance(select_traffic_source(info), SyntheticSource)


def test_other_rate_of_fraud_is_not_the_process(default_info: dict[str, Any]) -> None:
    """Its true probabilities are others."""
    info = parse_model_info(default_info | {"metrics": {"rows": 50_000, "frauds": 5_000}})

    assert not synthetic_process.matches_process(info)


def test_other_distribution_is_not_the_process(default_info: dict[str, Any]) -> None:
    """The same names over other values: another table."""
    other = describe_model() | {"metrics": default_info["metrics"]}

    assert not synthetic_process.matches_process(parse_model_info(other))


def test_model_that_says_nothing_of_its_holdout_is_not_recognised(
    default_info: dict[str, Any],
) -> None:
    """What is not known is not assumed."""
    info = parse_model_info(default_info | {"metrics": None})

    assert not synthetic_process.matches_process(info)


def test_scenario_leaves_the_customers_as_they_are(default_info: dict[str, Any]) -> None:
    """The same numbers are drawn, so a scenario changes what it says and nothing else."""
    source = SyntheticSource(parse_model_info(default_info))
    steady, drift, concept = (
        [source.sample(random, scenario) for _ in range(500)]
        for scenario, random in (
            ("steady", Random(1)),
            ("drift", Random(1)),
            ("concept", Random(1)),
        )
    )

    assert [d.transaction for d in concept] == [d.transaction for d in steady]
    assert [d.fraud_probability for d in concept] != [d.fraud_probability for d in steady]
    unchanged = ("age", "account_balance", "transaction_frequency")
    for before, after in zip(steady, drift, strict=True):
        assert all(before.transaction[name] == after.transaction[name] for name in unchanged)
        risks = [float(each.transaction["location_risk"] or 0) for each in (before, after)]
        assert risks[1] >= risks[0]
