"""Where each series has its cells in a slot.

Label sets are closed, so every series that can ever be counted has its place from the start: a
counter takes one cell, a histogram one for each bucket (not cumulative) and one for the sum.
A cell is a 64-bit float, which counts exactly up to 2**53.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass

from telemetry.metrics import Kind, Labels, Metric

# The first cells are the slot's own: they describe the worker, not a series.
CREATED = 0  # when the slot's counts began, seconds since 1970
PID = 1  # process that holds the slot
ACTIVITY = 2  # grows with everything that is counted
IN_FLIGHT = 3  # requests accepted and not yet answered
WINDOW_SECONDS = 16  # a ring of seconds (stamp, answered requests), for the throughput
WINDOW_STAMPS = 4
WINDOW_COUNTS = WINDOW_STAMPS + WINDOW_SECONDS
LAST_OUTCOME = WINDOW_COUNTS + WINDOW_SECONDS  # number of the last outcome that was counted
FIRST_SERIES = LAST_OUTCOME + 1


@dataclass(frozen=True)
class Series:
    """A metric with one combination of its label values, and its first cell."""

    metric: Metric
    labels: Labels
    offset: int

    @property
    def cells(self) -> int:
        """How many cells the series takes."""
        return count_cells(self.metric)

    def attributes(self) -> dict[str, str]:
        """The label values by name."""
        return dict(zip(self.metric.labels, self.labels, strict=True))


def count_cells(metric: Metric) -> int:
    """Cells of one series: 1 for a counter; buckets, the overflow bucket and the sum otherwise."""
    return 1 if metric.kind is Kind.COUNTER else len(metric.bounds) + 2


class Layout:
    """The places of all series of `metrics` (counters and histograms), in their order."""

    def __init__(self, metrics: Iterable[Metric]) -> None:
        self.metrics = tuple(metrics)
        self.series: dict[str, tuple[Series, ...]] = {}
        self.size = FIRST_SERIES
        digest = hashlib.sha256()
        for metric in self.metrics:
            self.series[metric.name] = tuple(self._place(metric))
            digest.update(repr((metric.name, metric.labels, metric.listed, metric.bounds)).encode())
        self.digest = digest.hexdigest()[:16]

    def offsets(self, metric: Metric) -> dict[Labels, int]:
        """First cell of each series of `metric`, by label values."""
        return {series.labels: series.offset for series in self.series[metric.name]}

    def _place(self, metric: Metric) -> Iterable[Series]:
        for labels in metric.combinations():
            yield Series(metric, labels, self.size)
            self.size += count_cells(metric)
