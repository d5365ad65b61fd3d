"""The restated process is the one that model/data/synthetic.py documents."""

from __future__ import annotations

from random import Random

import numpy as np
import pytest
from scipy import stats

from model.data import synthetic
from simulator.contract.model_info import parse_model_info
from simulator.transactions import synthetic_process as process
from simulator.transactions.traffic_source import KnownWorld, world_of

ROWS = 6_000
# Two samples of the same distribution are told apart with this probability, for each column.
CHANCE = 1e-4
FORMULAS = {
    process.STEADY_FORMULA: synthetic.Formula(),
    process.CONCEPT_FORMULA: synthetic.Formula(risk=2.0, frequency=1.0),
}


def columns(rows):
    """Rows of the simulator as the model's array."""
    return np.array([[row[name] for name in synthetic.FEATURES] for row in rows], dtype=float)


def later_half(scenario):
    """Features of the second half, which a scenario changes."""
    made = synthetic.generate(2 * ROWS, 3, scenario=scenario)
    return made.features[made.time >= synthetic.FIRST_SECOND + synthetic.PERIOD_SECONDS // 2]


@pytest.fixture(scope="module")
def drawn():
    random = Random(20)
    return [process.draw_row(random) for _ in range(ROWS)]


@pytest.fixture(scope="module")
def default_info():
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


@pytest.mark.parametrize("formula", FORMULAS, ids=["steady", "concept"])
def test_probability_is_that_of_the_model_package(drawn, formula):
    """Row by row, whatever the formula."""
    expected = synthetic.true_probability(columns(drawn), FORMULAS[formula])

    got = [process.true_probability(row, formula) for row in drawn]

    np.testing.assert_allclose(got, expected, rtol=1e-12)


@pytest.mark.parametrize("name", synthetic.FEATURES)
def test_rows_are_distributed_alike(drawn, name):
    """Kolmogorov-Smirnov on each column; with ties it is conservative."""
    place = synthetic.FEATURES.index(name)
    reference = synthetic.generate(4 * ROWS, 2).features[:, place]

    assert stats.ks_2samp(columns(drawn)[:, place], reference).pvalue > CHANCE


def test_rows_hang_together_alike(drawn):
    """Rank correlations of all pairs: who is rich pays more, and more often."""
    reference = synthetic.generate(4 * ROWS, 2).features
    got = stats.spearmanr(columns(drawn)).statistic
    expected = stats.spearmanr(reference).statistic

    # The standard error of a difference is below 0.015.
    assert np.abs(got - expected).max() < 0.06
    assert abs(expected[0, 2]) > 0.3


def test_drift_is_the_same(drawn):
    """Value by value."""
    random = np.random.default_rng(1)
    expected = synthetic._changed(random, columns(drawn), "drift")

    np.testing.assert_allclose(columns([process.drifted(row) for row in drawn]), expected)


def test_burst_is_the_same(drawn):
    """The tenth that is in a burst: places by distribution, frequencies exactly."""
    random, reference = Random(4), later_half("burst")[::10]
    burst = [process.in_burst(row, random) for row in drawn]

    assert [b["transaction_frequency"] for b in burst] == [
        min(row["transaction_frequency"] + 8, 200) for row in drawn
    ]
    places = [b["location_risk"] for b in burst]
    assert stats.ks_2samp(places, reference[:, 4]).pvalue > CHANCE


def test_default_model_is_recognised(default_info):
    """By names, deciles and the rate of fraud."""
    info = parse_model_info(default_info)

    assert process.is_of_process(info)
    assert isinstance(world_of(info), KnownWorld)


def test_other_rate_of_fraud_is_not_the_process(default_info):
    """Its true probabilities are others."""
    info = parse_model_info(default_info | {"metrics": {"rows": 50_000, "frauds": 5_000}})

    assert not process.is_of_process(info)


def test_other_distribution_is_not_the_process(default_info, describe):
    """The same names over other values: another table."""
    other = describe() | {"metrics": default_info["metrics"]}

    assert not process.is_of_process(parse_model_info(other))


def test_model_that_says_nothing_of_its_holdout_is_not_recognised(default_info):
    """What is not known is not assumed."""
    assert not process.is_of_process(parse_model_info(default_info | {"metrics": None}))


def test_scenario_leaves_the_customers_as_they_are(default_info):
    """The same numbers are drawn, so a scenario changes what it says and nothing else."""
    world = KnownWorld(parse_model_info(default_info))
    steady, drift, concept = (
        [world.draw(random, scenario) for _ in range(500)]
        for scenario, random in (
            ("steady", Random(1)),
            ("drift", Random(1)),
            ("concept", Random(1)),
        )
    )

    assert [d.transaction for d in concept] == [d.transaction for d in steady]
    assert [d.probability for d in concept] != [d.probability for d in steady]
    unchanged = ("age", "account_balance", "transaction_frequency")
    for before, after in zip(steady, drift, strict=True):
        assert all(before.transaction[name] == after.transaction[name] for name in unchanged)
        assert after.transaction["location_risk"] >= before.transaction["location_risk"]
