"""The restated process is the one that model/data/synthetic.py documents."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random

import numpy as np
import numpy.typing as npt
import pytest
from scipy import stats  # type: ignore[import-untyped, unused-ignore]

from model.data import synthetic
from model.data.scenarios import Scenario
from simulator.transactions import synthetic_process
from simulator.transactions.synthetic_process import Formula, Row

ROWS = 6_000
# Two samples of the same distribution are told apart with this probability, for each column.
CHANCE = 1e-4
FORMULAS = {
    synthetic_process.STEADY_FORMULA: synthetic.Formula(),
    synthetic_process.CONCEPT_FORMULA: synthetic.Formula(risk=2.0, frequency=1.0),
}


def to_columns(rows: Sequence[Row]) -> npt.NDArray[np.float64]:
    """Rows of the simulator as the model's array."""
    return np.array([[row[name] for name in synthetic.FEATURES] for row in rows], dtype=float)


def generate_later_half(scenario: Scenario) -> npt.NDArray[np.float64]:
    """Features of the second half, which a scenario changes."""
    made = synthetic.generate(2 * ROWS, 3, scenario=scenario)
    return made.features[made.time >= synthetic.FIRST_SECOND + synthetic.PERIOD_SECONDS // 2]


@pytest.fixture(scope="module")
def rows() -> list[Row]:
    random = Random(20)
    return [synthetic_process.draw_row(random) for _ in range(ROWS)]


@pytest.mark.parametrize("formula", FORMULAS, ids=["steady", "concept"])
def test_probability_is_that_of_the_model_package(rows: list[Row], formula: Formula) -> None:
    """Row by row, whatever the formula."""
    expected = synthetic.true_probability(to_columns(rows), FORMULAS[formula])

    got = [synthetic_process.true_probability(row, formula) for row in rows]

    np.testing.assert_allclose(got, expected, rtol=1e-12)


@pytest.mark.parametrize("name", synthetic.FEATURES)
def test_rows_are_distributed_alike(rows: list[Row], name: str) -> None:
    """Kolmogorov-Smirnov on each column; with ties it is conservative."""
    place = synthetic.FEATURES.index(name)
    reference = synthetic.generate(4 * ROWS, 2).features[:, place]

    assert stats.ks_2samp(to_columns(rows)[:, place], reference).pvalue > CHANCE


def test_rows_hang_together_alike(rows: list[Row]) -> None:
    """Rank correlations of all pairs: who is rich pays more, and more often."""
    reference = synthetic.generate(4 * ROWS, 2).features
    got = stats.spearmanr(to_columns(rows)).statistic
    expected = stats.spearmanr(reference).statistic

    # The standard error of a difference is below 0.015.
    assert np.abs(got - expected).max() < 0.06
    assert abs(expected[0, 2]) > 0.3


def test_drift_is_the_same(rows: list[Row]) -> None:
    """Value by value."""
    random = np.random.default_rng(1)
    expected = synthetic._apply_scenario(random, to_columns(rows), "drift")

    np.testing.assert_allclose(
        to_columns([synthetic_process.apply_drift(row) for row in rows]), expected
    )


def test_burst_is_the_same(rows: list[Row]) -> None:
    """The tenth that is in a burst: places by distribution, frequencies exactly."""
    random, reference = Random(4), generate_later_half("burst")[::10]
    burst = [synthetic_process.apply_fraud_burst(row, random) for row in rows]

    assert [b["transaction_frequency"] for b in burst] == [
        min(row["transaction_frequency"] + 8, 200) for row in rows
    ]
    places = [b["location_risk"] for b in burst]
    assert stats.ks_2samp(places, reference[:, 4]).pvalue > CHANCE
