"""A store that has forgotten the beginning is refused: what it has is a window that moves."""

from __future__ import annotations

import pytest

from model.promotion.stored_since import refuse_moving_window
from model.serving.errors import ModelError
from tests.model.promotion.stored_samples import StoredSamples

DAY = 86_400.0
START = 1_790_035_200.0
JOB = "fraud-handler"


def fill(first_day: float, last_day: float, kept_from: float = 0.0) -> StoredSamples:
    """A sample each six hours, of days after the start."""
    store = StoredSamples(START + kept_from * DAY if kept_from else 0.0)
    for quarter in range(int((last_day - first_day) * 4)):
        store.push_pair(START + (first_day + quarter / 4) * DAY, "1-aaaaaaaa", "2-bbbbbbbb")
    return store


@pytest.mark.parametrize(
    "store",
    [fill(-2, 10), fill(-20, -15), fill(0.5, 10), StoredSamples(), fill(-2, 40, kept_from=0.9)],
    ids=["from before", "idle", "started within a day", "nothing", "the first day is tolerated"],
)
def test_store_with_the_beginning_is_taken(store: StoredSamples) -> None:
    refuse_moving_window(store, JOB, START, START + 40 * DAY)


def test_store_that_forgot_is_refused_and_says_how_long_it_must_keep() -> None:
    store = fill(-2, 40, kept_from=25.1)
    with pytest.raises(ModelError) as refused:
        refuse_moving_window(store, JOB, START, START + 40 * DAY)

    said = str(refused.value)
    assert "first stored sample of fraud-handler is of 2026-10-17 06:00 UTC" in said
    assert "the start of the comparison, 2026-09-22 00:00 UTC" in said
    assert "41 days by now (storage.tsdb.retention" in said
    assert "--since 2026-10-17T06:00, the same at every look" in said


def test_start_that_the_sentence_names_is_taken() -> None:
    store = fill(-2, 40, kept_from=25.1)
    refuse_moving_window(store, JOB, START + 25.25 * DAY, START + 40 * DAY)
