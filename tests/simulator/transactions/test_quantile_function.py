"""Ranks become values as in training."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from simulator.transactions.quantile_function import build_quantile_function, find_rank

RANKS = (np.arange(200_000) + 0.5) / 200_000


@pytest.mark.parametrize(
    "quantiles",
    [[0.5, 14, 45, 165, 9400], [-30, -1, 0, 1, 25], [0, 0, 0, 1, 40], [3, 3, 3, 3], [0, 1]],
    ids=["positive", "signed", "ties", "constant", "range"],
)
def test_quantile_function_hits_its_quantiles(quantiles: list[float]) -> None:
    """Each given quantile is reached at its rank, and values never fall."""
    value = build_quantile_function(quantiles)

    ranks = [i / (len(quantiles) - 1) for i in range(len(quantiles))]
    assert [value(rank) for rank in ranks] == pytest.approx(quantiles, abs=1e-9)
    values = [value(rank) for rank in RANKS[::100]]
    assert all(a <= b + 1e-9 for a, b in pairwise(values))


def test_quantile_function_keeps_the_tail_light() -> None:
    """A log-normal's mean is met within 5 %; evenly spread, the top decile would double it."""
    training = np.exp(4 + np.random.default_rng(1).standard_normal(100_000))
    quantiles = np.quantile(training, np.linspace(0, 1, 11))

    value = build_quantile_function(list(quantiles))
    values = np.array([value(rank) for rank in RANKS])

    evenly = np.interp(RANKS, np.linspace(0, 1, 11), quantiles)
    assert values.mean() == pytest.approx(training.mean(), rel=0.05)
    assert evenly.mean() > 2 * training.mean()


def test_find_rank_inverts() -> None:
    """The least rank that reaches a value."""
    value = build_quantile_function([0, 10, 20, 30, 40])

    assert value(find_rank(value, 17.0)) == pytest.approx(17.0, abs=1e-6)
    assert find_rank(value, -5) == pytest.approx(0, abs=1e-8)
    assert find_rank(value, 50) == 1.0
