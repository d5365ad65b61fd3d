"""Numbers the deliveries of a slot, so that the store can see that one is missing.

A delivery carries the number that it has if the Collector takes it: one more than those taken
before. A refused one is followed by another with the same number. So the numbers in the store
rise by one from sample to sample, and a gap is telemetry that was lost between Collector and store.

The number is kept in the slot, and the slot's next holder counts on. A worker that dies after
the Collector took a delivery, and before it wrote that down, leaves its number to be used twice:
no gap.
"""

from __future__ import annotations

from dataclasses import replace

from opentelemetry.sdk.metrics.export import Metric, MetricsData, NumberDataPoint

from telemetry.export.data_points import changed
from telemetry.metrics import DELIVERIES
from telemetry.store.layout import Layout
from telemetry.store.slots import Slot


class Deliveries:
    """The deliveries of one slot; the slot must be held by this process."""

    def __init__(self, slot: Slot, layout: Layout) -> None:
        self._slot = slot
        [self._cell] = layout.offsets(DELIVERIES).values()

    def following(self) -> int:
        """The number of the delivery after the last that was taken, from 1 on."""
        return int(self._slot.cells[self._cell]) + 1

    def taken(self, number: int) -> None:
        """The Collector has taken the delivery with this number."""
        with self._slot.lock:
            # A thread that hung until its worker ended must not take the next holder's count back.
            self._slot.cells[self._cell] = max(number, self._slot.cells[self._cell])


def numbered(data: MetricsData, number: int) -> MetricsData:
    """The same collection with the delivery's number as the value of telemetry_deliveries_total."""
    return changed(data, lambda metric: _numbered(metric, number))


def _numbered(metric: Metric, number: int) -> Metric:
    if metric.name != DELIVERIES.name:
        return metric
    points = [
        replace(point, value=float(number))
        for point in metric.data.data_points
        if isinstance(point, NumberDataPoint)
    ]
    return replace(metric, data=replace(metric.data, data_points=points))  # type: ignore[arg-type]
