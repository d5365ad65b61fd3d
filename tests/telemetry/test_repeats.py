"""The counts of repeated transactions give the design effect that the rows themselves have."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np
import pytest

from model.serving.version_slots import VERSION_SLOTS
from prometheus.generator.durations import parse_duration
from prometheus.generator.recordings.drift import WINDOWS
from telemetry.baseline import Baseline
from telemetry.card_labels import LoadedSlots, fill_card_labels
from telemetry.metrics import (
    CHAMPION,
    FOLLOWED_PAIRS,
    FOLLOWED_ROWS,
    PAIRS_BY_CHANCE,
    PAIRS_SEEN,
    REPEAT_WINDOWS,
)
from telemetry.repeats import MOST_ROWS, Repeats, _Block, hash_row
from telemetry.store.layout import Layout

CONTINUOUS = [Baseline(f"number_{n}", (0.1,) * 10, tuple(range(1, 10))) for n in range(5)]
SWITCH = [Baseline("switch", (0.5, 0.5), categories=("false", "true"))]
SCORE = Baseline("score", (0.5, 0.5), (0.5,))
SLOTS = LoadedSlots(VERSION_SLOTS[0], [(CHAMPION, VERSION_SLOTS[0])])
NOON = 1_800_000_000 // 86_400 * 86_400 + 43_200.0


class Counted:
    """What a handler of these features counts."""

    def __init__(self, features: Sequence[Baseline]) -> None:
        self._layout = Layout(fill_card_labels(features, SCORE, SLOTS))
        self._repeats = Repeats(self._layout, features)
        self._cells = memoryview(bytearray(8 * self._layout.size)).cast("d")

    def add(self, rows: Sequence[int], seconds: float = 0.0) -> None:
        """Rows by number, one after the other in so many seconds from noon on."""
        for place, number in enumerate(rows):
            now = NOON + seconds * place / len(rows)
            self._repeats.add(self._cells, [hash_row([float(number)])], now)

    def design_effect(self, window: str = "15m") -> float:
        """As design_effect.py computes it for one worker."""
        rows = self._cells[self._layout.offsets(FOLLOWED_ROWS)[(window,)]]
        pairs = self._layout.offsets(FOLLOWED_PAIRS)
        seen = self._cells[pairs[window, PAIRS_SEEN]]
        return 1 + (seen - self._cells[pairs[window, PAIRS_BY_CHANCE]]) / rows


def kish(rows: Sequence[int]) -> float:
    """Sum n_k^2 / n."""
    return sum(count**2 for count in Counter(rows).values()) / len(rows)


@pytest.mark.parametrize("times", [1, 5, 10])
def test_each_row_so_many_times(times: int) -> None:
    """180 transactions in a quarter of an hour: of rows that repeat, in whatever order."""
    rows = np.random.default_rng(1).permutation(np.repeat(np.arange(180 // times), times)).tolist()
    counted = Counted(CONTINUOUS)
    counted.add(rows)
    assert counted.design_effect() == pytest.approx(kish(rows), abs=0.01)


def test_unequal_repetition() -> None:
    """One in a hundred rows makes half of the traffic."""
    rows = [*range(990), *np.repeat(np.arange(1000, 1010), 99).tolist()]
    counted = Counted(CONTINUOUS)
    counted.add(np.random.default_rng(2).permutation(rows).tolist())
    assert counted.design_effect() == pytest.approx(kish(rows), rel=0.01)


def test_memory_is_bounded_and_the_effect_is_not_lost() -> None:
    """100,000 rows, five times each: a fraction is followed, each with all its repetitions."""
    rows = np.random.default_rng(3).permutation(np.repeat(np.arange(100_000), 5)).tolist()
    block = _Block(900)
    for each in rows:
        block.add([hash_row([float(each)])], NOON)
    assert len(block._counts) <= MOST_ROWS
    counted = Counted(CONTINUOUS)
    counted.add(rows)
    assert counted.design_effect() == pytest.approx(5 - 500_000 * 1e-5, abs=0.4)


def test_few_possible_rows_are_no_repetition() -> None:
    """A model with one switch sees the same two rows all the time: by chance."""
    counted = Counted(SWITCH)
    counted.add(np.random.default_rng(4).integers(0, 2, 5000).tolist())
    assert counted.design_effect() == pytest.approx(1, abs=3)


def test_repetition_that_is_slower_than_a_window_is_not_in_it() -> None:
    """A row once an hour: independent within the hour, not within the day."""
    counted = Counted(CONTINUOUS)
    counted.add(list(range(100)) * 6, seconds=6 * 3600)
    assert counted.design_effect("15m") == pytest.approx(1, abs=0.01)
    assert counted.design_effect("24h") > 5


def test_missing_values_are_equal() -> None:
    """NaN is not equal to itself, a row without a value is the same row."""
    assert hash_row([1.0, float("nan")]) == hash_row([1.0, float("nan")])


def test_every_window_of_drift_has_its_repeats() -> None:
    """The rules look them up by the window's name."""
    assert {window: parse_duration(window) for window in WINDOWS} == REPEAT_WINDOWS
