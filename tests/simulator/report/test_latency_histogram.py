"""Quantiles from bins are as good as promised."""

from __future__ import annotations

from random import Random

import pytest

from simulator.report.latency_histogram import Durations


@pytest.mark.parametrize("share", [0.5, 0.95, 0.99, 1.0])
def test_durations_quantiles_are_within_half_a_percent(share):
    """Against the sorted values themselves."""
    random, durations = Random(1), Durations()
    values = sorted(random.lognormvariate(-5, 2) for _ in range(5000))
    for value in values:
        durations.add(value)

    exact = values[max(0, round(share * len(values)) - 1)]
    assert durations.quantile(share) == pytest.approx(exact, rel=0.0051)
    assert durations.largest == values[-1]


def test_durations_without_any_have_no_quantile():
    """No number is made up."""
    assert Durations().quantile(0.5) is None
    assert Durations().largest is None


def test_durations_memory_is_bounded():
    """A simulator that runs for months stays small."""
    durations = Durations()
    for n in range(100_000):
        durations.add(1e-9 * 1.0003**n)

    assert durations.count == 100_000
    assert len(durations._bins) < 3000
