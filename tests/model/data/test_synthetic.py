"""The generator keeps what its docstring says."""

from __future__ import annotations

import math

import numpy as np
import pytest

from model.data.dataset import SYNTHETIC_COLUMNS
from model.data.synthetic import FEATURES, generate, true_probability


def test_the_same_seed_gives_the_same_rows() -> None:
    first, again, other = generate(1000, 1), generate(1000, 1), generate(1000, 2)

    assert np.array_equal(first.features, again.features)
    assert np.array_equal(first.fraud, again.fraud)
    assert not np.array_equal(first.features, other.features)


def test_three_per_cent_are_fraud() -> None:
    rows = generate(200_000, 3)

    assert abs(rows.probability.mean() - 0.03) < 0.001
    assert abs(rows.fraud.mean() - rows.probability.mean()) < 0.001


def test_rows_of_equal_probability_are_fraud_in_that_share() -> None:
    """What a calibrated model could reach: the label is drawn with the stated probability."""
    rows = generate(400_000, 4)
    for low in (0.05, 0.2, 0.5, 0.8):
        band = (rows.probability >= low) & (rows.probability < low + 0.1)
        expected, seen = rows.probability[band].mean(), rows.fraud[band].mean()
        assert abs(seen - expected) < 4 * math.sqrt(0.25 / band.sum())


@pytest.mark.parametrize("index", range(5), ids=FEATURES)
def test_every_row_is_one_that_a_request_may_hold(index: int) -> None:
    values, column = generate(200_000, 5).features[:, index], SYNTHETIC_COLUMNS[index]

    assert column.name == FEATURES[index]
    assert column.minimum is not None and values.min() >= column.minimum
    assert column.maximum is not None and values.max() <= column.maximum
    assert column.type != "integer" or np.array_equal(values, np.floor(values))


def test_rows_come_in_time_order() -> None:
    assert np.all(np.diff(generate(10_000, 6).time) >= 0)


def test_the_formula_gives_the_value_worked_out_by_hand() -> None:
    """amount 50, age 45, balance 950, 8 transactions, risk 0.5, from the docstring."""
    a, r = math.log(2), 0.5
    empties = 1 / (1 + math.exp(-(math.log(50 / 1000) + 1) / 0.4))
    young, old = 1 / (1 + math.exp(10)), 1 / (1 + math.exp(25 / 3))
    logit = -10.85 + 1.6 * a + 6.5 * r + 3.2 * a * r + 4 * empties + 0.5 * 2 + 1.3 * (young + old)

    [probability] = true_probability(np.array([[50.0, 45, 950, 8, 0.5]]))

    assert probability == pytest.approx(1 / (1 + math.exp(-logit)), rel=1e-12)
