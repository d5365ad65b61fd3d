"""What is counted of a labelled prediction."""

from __future__ import annotations

import pytest

from telemetry.outcome_counts import find_age_band


@pytest.mark.parametrize(
    ("seconds", "band"),
    [
        (0.0, "10m"),
        (599.9, "10m"),
        (600.0, "1h"),
        (86_399.0, "1d"),
        (86_400.0, "7d"),
        (604_800.0, "30d"),
        (2_592_000.0, "older"),
        (1e9, "older"),
    ],
)
def test_band_of_an_age_is_the_first_that_it_is_below(seconds: float, band: str) -> None:
    assert find_age_band(seconds) == band
