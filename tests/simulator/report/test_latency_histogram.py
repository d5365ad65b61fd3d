"""Quantiles from bins are as good as promised."""

from __future__ import annotations

from random import Random

import pytest

from simulator.report.latency_histogram import LatencyHistogram


@pytest.mark.parametrize("share", [0.5, 0.95, 0.99, 1.0])
def test_histogram_quantiles_are_within_half_a_percent(share: float) -> None:
    """Against the sorted values themselves."""
    random, histogram = Random(1), LatencyHistogram()
    values = sorted(random.lognormvariate(-5, 2) for _ in range(5000))
    for value in values:
        histogram.add(value)

    exact = values[max(0, round(share * len(values)) - 1)]
    assert histogram.quantile(share) == pytest.approx(exact, rel=0.0051)
    assert histogram.largest == values[-1]


def test_histogram_without_any_have_no_quantile() -> None:
    """No number is made up."""
    assert LatencyHistogram().quantile(0.5) is None
    assert LatencyHistogram().largest is None


def test_histogram_memory_is_bounded() -> None:
    """A simulator that runs for months stays small."""
    histogram = LatencyHistogram()
    for n in range(100_000):
        histogram.add(1e-9 * 1.0003**n)

    assert histogram.count == 100_000
    assert len(histogram._bins) < 3000
