"""Slots of weeks: which week a slot stands for when something is counted in it."""

from __future__ import annotations

import pytest

from model.serving.cohorts import (
    COHORTS,
    OLDEST_SECONDS,
    WEEK_SECONDS,
    find_cohort,
    find_cohort_week,
    find_week,
)

NOW = 1_790_035_200.0


@pytest.mark.parametrize("age", [0, WEEK_SECONDS, 3.5 * WEEK_SECONDS, OLDEST_SECONDS - 1])
@pytest.mark.parametrize("late", [0, 3600, WEEK_SECONDS])
def test_week_is_known_from_the_slot_even_a_week_late(age: float, late: float) -> None:
    made = NOW - age
    assert find_cohort_week(find_cohort(made), NOW + late) == find_week(made)


def test_slots_are_used_in_turn() -> None:
    found = [find_cohort(NOW + week * WEEK_SECONDS) for week in range(len(COHORTS))]
    assert sorted(found) == list(COHORTS)
