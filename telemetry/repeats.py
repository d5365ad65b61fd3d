"""How often the same transaction comes again: what makes counts vary more than their number says.

Chance is computed for independent transactions. Where the same row comes m times, counts vary as
if there were 1/m as many: of n rows, among them row k n_k times, the effective number is n divided
by the design effect, sum n_k^2 / n (L. Kish, Survey Sampling, 1965). Since n_k^2 = n_k + (ordered
pairs of the same row), two counters are enough: rows, and pairs. Prometheus does the rest.

Pairs are those within one block of the window's length (blocks follow each other), so of rows that
come steadily as many are seen as a window of this length has. Memory is bounded: the rows whose
hash ends in enough zeros are followed, with all their repetitions, and each counts for as many as
that choice leaves out. The hash is of this process alone, and nothing of it leaves.

With few categories the same row comes by chance, too: how often is bounded from above by the
baseline (the product over features of sum share^2), and counted beside the pairs that were seen.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from math import prod
from struct import Struct

from telemetry.baseline import Baseline
from telemetry.metrics import (
    FOLLOWED_PAIRS,
    FOLLOWED_ROWS,
    PAIRS_BY_CHANCE,
    PAIRS_SEEN,
    REPEAT_WINDOWS,
)
from telemetry.store.layout import Layout

MOST_ROWS = 2048  # followed in each block


@cache
def _pack_row(length: int) -> Callable[..., bytes]:
    return Struct(f"{length}d").pack


def hash_row(row: Sequence[float]) -> int:
    """Of all values, equal for equal rows in this process only."""
    return hash(_pack_row(len(row))(*row))


def chance_of_same_row(features: Sequence[Baseline]) -> float:
    """At most so probable it is that two independent rows are the same."""
    return prod(sum(each.share_of(bin) ** 2 for bin in each.bins()) for each in features)


class _Block:
    """The rows of the present block of one window."""

    def __init__(self, seconds: int) -> None:
        self._seconds = seconds
        self._number = -1
        self._counts: dict[int, int] = {}
        self._mask = 0
        self._rows = 0

    def add(self, hashes: Sequence[int], now: float) -> tuple[int, int, int]:
        """Rows that came now: for how many they count, their pairs with the same row before them,
        and with any row before them."""
        number = int(now // self._seconds)
        if number != self._number:
            self._number, self._counts, self._mask, self._rows = number, {}, 0, 0
        followed = seen = by_chance = 0
        for before, row in enumerate(hashes, self._rows):
            if row & self._mask:
                continue
            weight = self._mask + 1
            same = self._counts.get(row, 0)
            self._counts[row] = same + 1
            followed += weight
            seen += weight * same
            by_chance += weight * before
            if not same and len(self._counts) > MOST_ROWS:
                self._follow_fewer()
        self._rows += len(hashes)
        return followed, seen, by_chance

    def _follow_fewer(self) -> None:
        while len(self._counts) > MOST_ROWS:
            self._mask = 2 * self._mask + 1
            self._counts = {key: n for key, n in self._counts.items() if not key & self._mask}


class Repeats:
    """Counts into a slot's cells; the caller holds the slot's lock."""

    def __init__(self, layout: Layout, features: Sequence[Baseline]) -> None:
        self._chance = chance_of_same_row(features)
        rows, pairs = layout.offsets(FOLLOWED_ROWS), layout.offsets(FOLLOWED_PAIRS)
        self._blocks = {
            _Block(seconds): (
                rows[(window,)],
                pairs[window, PAIRS_SEEN],
                pairs[window, PAIRS_BY_CHANCE],
            )
            for window, seconds in REPEAT_WINDOWS.items()
        }

    def add(self, cells: memoryview[float], hashes: Sequence[int], now: float) -> None:
        """Live transactions that came at the same time, by `hash_row`."""
        for block, (rows, seen, by_chance) in self._blocks.items():
            followed, same, before = block.add(hashes, now)
            if followed:
                cells[rows] += followed
                cells[seen] += 2 * same
                cells[by_chance] += 2 * before * self._chance
