"""Requests are due as one user, or as a Poisson process."""

from __future__ import annotations

from itertools import islice

import pytest

from simulator.traffic.arrivals import LoadProfile


def draw_gaps(load: LoadProfile, number: int) -> list[float]:
    """Seconds between requests, the first from the start."""
    times = list(islice(load.generate_arrivals(9), number))
    return [later - earlier for earlier, later in zip([0.0, *times], times, strict=False)]


def test_one_user_pauses_1_to_5_seconds() -> None:
    """A person would watch it so."""
    gaps = draw_gaps(LoadProfile(), 2000)

    assert min(gaps) >= 1 and max(gaps) <= 5
    assert sum(gaps) / len(gaps) == pytest.approx(3, abs=0.1)


def test_arrivals_at_a_rate_are_poisson() -> None:
    """Gaps are exponential: mean 1/rate, and as wide as that too."""
    gaps = draw_gaps(LoadProfile(rate=50), 20_000)

    mean = sum(gaps) / len(gaps)
    deviation = (sum((gap - mean) ** 2 for gap in gaps) / len(gaps)) ** 0.5
    assert mean == pytest.approx(0.02, rel=0.03)
    assert deviation == pytest.approx(0.02, rel=0.04)
