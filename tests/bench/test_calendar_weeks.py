"""The replay of weeks in their true order: what the clock sets is judged by the week before."""

from __future__ import annotations

import numpy as np
import pytest

from bench.detection.calendar_weeks import judge_feature
from bench.detection.conditions import Floats
from prometheus.generator.thresholds import read_thresholds

DAY = 86_400.0
RANDOM = np.random.default_rng(5)
TIMES = np.sort(RANDOM.uniform(0, 21 * DAY, 120_000))


def is_night(times: Floats) -> Floats:
    return (times % DAY < DAY / 4).astype(float)


def test_night_is_no_drift_at_night() -> None:
    """Three quarters of the hours are unlike the week; none is unlike the same hour before."""
    calendar, found = judge_feature(is_night(TIMES), TIMES, read_thresholds(), 15)
    before, now = found["1h"]
    assert calendar
    assert before > 0.5
    assert now < 0.01


def test_a_night_that_moves_is_drift() -> None:
    """In the third week it is set at noon."""
    values = np.where(TIMES < 14 * DAY, is_night(TIMES), is_night(TIMES + DAY / 2))
    calendar, found = judge_feature(values, TIMES, read_thresholds(), 15)
    assert calendar
    assert found["1h"][1] > 0.1


@pytest.mark.parametrize("shift", [0.0, 1.0])
def test_what_the_clock_does_not_set_is_judged_by_the_baseline(shift: float) -> None:
    """A standard deviation higher in both weeks after the training's, as a week before: drift."""
    values = RANDOM.normal(size=TIMES.size) + np.where(TIMES < 7 * DAY, 0, shift)
    calendar, found = judge_feature(values, TIMES, read_thresholds(), 15)
    assert not calendar
    assert (found["1h"][1] > 0.9) == bool(shift)
