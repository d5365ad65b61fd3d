"""Exports a worker's numbers at a fixed interval, and nothing while nothing happens.

A platform may put a service to sleep that sends no packets, so an idle service must be silent.
What silence left out is made up for: on waking, the last values are sent first, stamped with the
last idle moment, so that `rate` and `increase` see the first new count. Every export carries its
number, so that the store can see that one is missing.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from threading import Event, Thread

from opentelemetry.sdk.metrics.export import MetricExporter, MetricExportResult, MetricsData

from telemetry.export.data_points import restamp
from telemetry.export.export_log import METRICS, ExportLog
from telemetry.export.export_numbers import ExportNumbers, set_export_number

_log = logging.getLogger(__name__)


class PeriodicPush:
    """Exports what `collect` gives whenever `activity` has changed since the last export."""

    def __init__(
        self,
        collect: Callable[[], MetricsData],
        activity: Callable[[], object],
        exporter: MetricExporter,
        interval_seconds: float,
        numbers: ExportNumbers,
        export_log: ExportLog | None = None,
    ) -> None:
        self._collect = collect
        self._activity = activity
        self._exporter = exporter
        self._interval = interval_seconds
        self._numbers = numbers
        self._export_log = export_log or ExportLog(METRICS)
        self._stopped = Event()
        self._thread = Thread(target=self._run, name="metrics-push", daemon=True)
        self._exported: MetricsData | None = None
        self._exported_activity: object = None
        self._idle_at: int | None = None

    def start(self) -> None:
        """Export the zeros at once, then go on at the interval's pace."""
        self._thread.start()

    def stop(self, timeout_seconds: float) -> None:
        """Export what is left, for at most `timeout_seconds`."""
        self._stopped.set()
        self._thread.join(timeout_seconds)
        self._exporter.shutdown(timeout_millis=0)

    def tick(self) -> None:
        """One interval is over: export if something happened, else remember that it was idle."""
        activity = self._activity()
        if activity == self._exported_activity:
            self._idle_at = time.time_ns()
            return
        if not self._catch_up():
            return
        data = self._collect()
        if self._export(data):
            self._exported, self._exported_activity, self._idle_at = data, activity, None

    def _catch_up(self) -> bool:
        """True unless there was silence to make up for and it could not be exported."""
        if self._idle_at is None or self._exported is None:
            return True
        return self._export(restamp(self._exported, self._idle_at))

    def _run(self) -> None:
        self._try_tick()
        while not self._stopped.wait(self._interval):
            self._try_tick()
        self._try_tick()

    def _try_tick(self) -> None:
        try:
            self.tick()
        except Exception:
            # The thread must outlive any fault of one interval: the counts are safe in their slot.
            _log.exception("metrics could not be collected")

    def _export(self, data: MetricsData) -> bool:
        number = self._numbers.next_number()
        succeeded = (
            self._exporter.export(set_export_number(data, number)) is MetricExportResult.SUCCESS
        )
        if succeeded:
            self._numbers.mark_taken(number)
        self._export_log.report(succeeded)
        return succeeded
