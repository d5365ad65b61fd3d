"""Numbers the exports of a slot, so that the store can see that one is missing.

An export carries the number that it has if the Collector takes it: one more than those taken
before. A refused one is followed by another with the same number. So the numbers in the store
rise by one from sample to sample, and a gap is telemetry that was lost between Collector and store.

The number is kept in the slot, and the slot's next holder counts on. A worker that dies after
the Collector took an export, and before it wrote that down, leaves its number to be used twice:
no gap.
"""

from __future__ import annotations

from opentelemetry.sdk.metrics.export import Metric, MetricsData

from telemetry.export.data_points import map_metrics, set_in_points
from telemetry.metrics import DELIVERIES
from telemetry.store.layout import Layout
from telemetry.store.slots import Slot


class ExportNumbers:
    """The numbers of one slot's exports; the slot must be held by this process."""

    def __init__(self, slot: Slot, layout: Layout) -> None:
        self._slot = slot
        [self._cell] = layout.offsets(DELIVERIES).values()

    def next_number(self) -> int:
        """The number of the export after the last that was taken, from 1 on."""
        return int(self._slot.cells[self._cell]) + 1

    def mark_taken(self, number: int) -> None:
        """The Collector has taken the export with this number."""
        with self._slot.lock:
            # A thread that hung until its worker ended must not take the next holder's count back.
            self._slot.cells[self._cell] = max(number, self._slot.cells[self._cell])


def set_export_number(data: MetricsData, number: int) -> MetricsData:
    """The same collection with the export's number as the value of telemetry_deliveries_total."""
    return map_metrics(data, lambda metric: _set_number(metric, number))


def _set_number(metric: Metric, number: int) -> Metric:
    if metric.name != DELIVERIES.name:
        return metric
    return set_in_points(metric, value=float(number))
