"""Features that follow the calendar are told from those that do not, by the rows' times."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest

from model.serving.card import Histogram
from model.training.calendar import DAY, HOUR, WEEK, follows_calendar
from model.training.describe import count_deciles

Floats = npt.NDArray[np.float64]
SWITCH = Histogram((), (0.5, 0.5))
RANDOM = np.random.default_rng(1)


def draw_times(days: float) -> Floats:
    """A thousand an hour."""
    return np.sort(RANDOM.uniform(0, days * DAY, int(days * 24_000)))


def is_night(times: Floats) -> Floats:
    return (times % DAY < 6 * HOUR).astype(float)


def is_weekend(times: Floats) -> Floats:
    return (times % WEEK >= 5 * DAY).astype(float)


@pytest.mark.parametrize("feature", [is_night, is_weekend])
def test_night_and_weekend_do(feature: object) -> None:
    """A switch that is set by the clock."""
    times = draw_times(7)
    values = is_night(times) if feature is is_night else is_weekend(times)
    share = float(values.mean())
    assert follows_calendar(values, Histogram((), (1 - share, share)), times)


def test_an_amount_that_is_higher_at_night_does() -> None:
    """By a standard deviation."""
    times = draw_times(7)
    values = RANDOM.normal(size=times.size) + is_night(times)
    assert follows_calendar(values, count_deciles(values), times)


@pytest.mark.parametrize("shift", [0.0, 0.2])
def test_what_hardly_moves_does_not(shift: float) -> None:
    """Neither by chance nor by a fifth of a standard deviation."""
    times = draw_times(7)
    values = RANDOM.normal(size=times.size) + shift * is_night(times)
    assert not follows_calendar(values, count_deciles(values), times)


def test_few_rows_are_no_calendar() -> None:
    """Where no hour has a hundred rows, and chance is large."""
    times = np.sort(RANDOM.uniform(0, 7 * DAY, 2000))
    values = RANDOM.normal(size=times.size)
    assert not follows_calendar(values, count_deciles(values), times)


def test_one_day_says_nothing_of_the_next() -> None:
    """A change within a day is not known to come again."""
    times = draw_times(1)
    assert not follows_calendar(is_night(times), SWITCH, times)


def test_missing_values_are_a_bin() -> None:
    """What is not known at night alone follows the calendar, too."""
    times = draw_times(7)
    values = np.where(is_night(times) > 0, np.nan, RANDOM.normal(size=times.size))
    assert follows_calendar(values, count_deciles(values), times)
