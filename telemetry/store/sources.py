"""Where published numbers are read: one worker's slot, or the sum of all slots.

Each worker pushes its own slot over OTLP (Prometheus adds the instances up); `/metrics` shows the
sum, on whichever worker a scrape lands.
"""

from __future__ import annotations

import time
from typing import Protocol

import numpy as np

from telemetry.store.layout import (
    ACTIVITY,
    CREATED,
    IN_FLIGHT,
    WINDOW_COUNTS,
    WINDOW_SECONDS,
    WINDOW_STAMPS,
)
from telemetry.store.slots import Cells, Slots, is_alive

THROUGHPUT_SECONDS = 10


class Source(Protocol):
    """Numbers of one worker or of all of them, at the moment of the call."""

    def cells(self) -> Cells:
        """A copy of the counts, laid out as Layout says."""

    def created(self) -> float:
        """When the counts began, seconds since 1970."""

    def in_flight(self) -> float:
        """Requests accepted and not yet answered."""

    def throughput(self) -> float:
        """Requests answered per second, over the last ten full seconds."""


class AllSlots:
    """The sum over every slot; what is momentary counts only where the holder lives."""

    def __init__(self, slots: Slots) -> None:
        self._slots = slots

    def cells(self) -> Cells:
        total: Cells = np.sum(list(self._slots.read().values()), axis=0)
        return total

    def created(self) -> float:
        begun = (float(cells[CREATED]) for cells in self._slots.read().values())
        # A slot that is reserved has not begun.
        return min((one for one in begun if one), default=time.time())

    def in_flight(self) -> float:
        living = (cells for cells in self._slots.read().values() if is_alive(cells))
        return sum(float(cells[IN_FLIGHT]) for cells in living)

    def throughput(self) -> float:
        return sum(_compute_throughput(cells, time.time()) for cells in self._slots.read().values())

    def activity(self) -> tuple[float, float, float]:
        """Equal to the activity before it exactly while nothing happens in the whole service."""
        counted = sum(float(cells[ACTIVITY]) for cells in self._slots.read().values())
        return counted, self.throughput(), self.in_flight()


class OneSlot:
    """The slot of one worker."""

    def __init__(self, slots: Slots, index: int) -> None:
        self._cells = slots.read()[index]

    def cells(self) -> Cells:
        return self._cells.copy()

    def created(self) -> float:
        return float(self._cells[CREATED])

    def in_flight(self) -> float:
        return float(self._cells[IN_FLIGHT])

    def throughput(self) -> float:
        return _compute_throughput(self._cells, time.time())


class Snapshot:
    """A source's counts of one moment, the same for all series of a collection."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self.cells: list[float] = source.cells().tolist()

    def refresh(self) -> None:
        """Take the counts anew: a new collection begins."""
        self.cells = self.source.cells().tolist()


def _compute_throughput(cells: Cells, now: float) -> float:
    stamps = cells[WINDOW_STAMPS : WINDOW_STAMPS + WINDOW_SECONDS]
    counts = cells[WINDOW_COUNTS : WINDOW_COUNTS + WINDOW_SECONDS]
    second = int(now)
    recent = (stamps < second) & (stamps >= second - THROUGHPUT_SECONDS)
    return float(counts[recent].sum()) / THROUGHPUT_SECONDS
