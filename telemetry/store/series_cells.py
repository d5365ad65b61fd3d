"""Adding to the cells of one metric by label values; the caller holds the slot's lock."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from typing import Final

import numpy as np

from telemetry.exemplars import Exemplars
from telemetry.metrics import Labels, Metric
from telemetry.store.layout import Layout

# From so many on columns are faster than one by one.
MANY: Final = 24


class Counts:
    """The cells of one counter. The last label is left out where all that is counted is of one
    `version_slot`."""

    def __init__(self, layout: Layout, metric: Metric, version_slot: str = "") -> None:
        offsets = layout.offsets(metric)
        if version_slot:
            own = (labels for labels in offsets if labels[-1] == version_slot)
            offsets = {labels[:-1]: offsets[labels] for labels in own}
        self._offsets = offsets

    def add(self, cells: memoryview[float], labels: Labels, amount: float = 1) -> None:
        cells[self._offsets[labels]] += amount

    def cells_of(self, *labels: str) -> dict[str, int]:
        """The cells of the series that begin with these labels, by the one that follows."""
        count = len(labels)
        return {
            known[count]: cell for known, cell in self._offsets.items() if known[:count] == labels
        }


class Distribution:
    """The cells of one histogram by label values; upper bounds are inclusive."""

    def __init__(self, layout: Layout, metric: Metric, exemplars: Exemplars | None = None) -> None:
        self._offsets = layout.offsets(metric)
        self._bounds = metric.bounds
        self._sum = len(metric.bounds) + 1
        self._exemplars = exemplars

    def add(self, cells: memoryview[float], labels: Labels, value: float) -> None:
        first = self._offsets[labels]
        bucket = first + bisect_left(self._bounds, value)
        cells[bucket] += 1
        cells[first + self._sum] += value
        if self._exemplars is not None:
            self._exemplars.offer(bucket, value)

    def add_all(self, cells: memoryview[float], labels: Labels, values: Sequence[float]) -> None:
        """The same for many values at once; the last one in each bucket is its exemplar."""
        if len(values) < MANY:
            for value in values:
                self.add(cells, labels, value)
            return
        first = self._offsets[labels]
        buckets = np.searchsorted(self._bounds, values)
        for bucket, count in enumerate(np.bincount(buckets).tolist(), first):
            cells[bucket] += count
        cells[first + self._sum] += sum(values)
        if self._exemplars is not None:
            for bucket, value in dict(zip(buckets.tolist(), values, strict=True)).items():
                self._exemplars.offer(first + bucket, value)
