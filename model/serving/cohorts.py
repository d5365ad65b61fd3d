"""Cohorts of predictions: those of one week, counted in so many slots that are used in turn.

A label is counted under the slot of its prediction's week, so that outcomes can be read by when the
prediction was made. A slot is used again after COHORTS weeks; older labels are not counted by
cohort, and two weeks are left so that a late push is never taken for another week's.
"""

from __future__ import annotations

from typing import Final

WEEK_SECONDS: Final = 7 * 86_400
COHORTS: Final = tuple("01234567")
# From this age on a prediction's label is counted in no cohort.
OLDEST_SECONDS: Final = (len(COHORTS) - 2) * WEEK_SECONDS


def find_week(moment: float) -> int:
    """The week of a moment in seconds since 1970, counted from there; it begins on a Thursday,
    UTC."""
    return int(moment // WEEK_SECONDS)


def find_cohort(moment: float) -> str:
    """The slot of the predictions of that moment's week."""
    return COHORTS[find_week(moment) % len(COHORTS)]


def find_cohort_week(cohort: str, moment: float) -> int:
    """The week that a slot stood for when something was counted in it at that moment."""
    week = find_week(moment)
    return week - (week - COHORTS.index(cohort)) % len(COHORTS)
