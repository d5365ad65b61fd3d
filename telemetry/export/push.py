"""Pushes a worker's numbers at a fixed pace, and nothing while nothing happens.

A platform may put a service to sleep that sends no packets, so a quiet service must be silent.
What silence left out is made up for: on waking, the last values are sent first, stamped with the
last quiet moment, so that `rate` and `increase` see the first new count. Every delivery carries its
number, so that the store can see that one is missing.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from threading import Event, Thread

from opentelemetry.sdk.metrics.export import MetricExporter, MetricExportResult, MetricsData

from telemetry.export.data_points import restamped
from telemetry.export.export_numbers import Deliveries, numbered

_log = logging.getLogger(__name__)


class QuietPush:
    """Exports what `collect` gives whenever `pulse` has changed since the last delivery."""

    def __init__(
        self,
        collect: Callable[[], MetricsData],
        pulse: Callable[[], object],
        exporter: MetricExporter,
        interval_seconds: float,
        deliveries: Deliveries,
    ) -> None:
        self._collect = collect
        self._pulse = pulse
        self._exporter = exporter
        self._interval = interval_seconds
        self._deliveries = deliveries
        self._stopped = Event()
        self._thread = Thread(target=self._run, name="metrics-push", daemon=True)
        self._delivered: MetricsData | None = None
        self._delivered_pulse: object = None
        self._quiet_at: int | None = None
        self._failing = False

    def start(self) -> None:
        """Deliver the zeros at once, then go on at the interval's pace."""
        self._thread.start()

    def stop(self, timeout_seconds: float) -> None:
        """Deliver what is left, for at most `timeout_seconds`."""
        self._stopped.set()
        self._thread.join(timeout_seconds)
        self._exporter.shutdown(timeout_millis=0)

    def tick(self) -> None:
        """One turn: deliver if something happened, else remember that it was quiet now."""
        pulse = self._pulse()
        if pulse == self._delivered_pulse:
            self._quiet_at = time.time_ns()
            return
        if not self._made_up():
            return
        data = self._collect()
        if self._deliver(data):
            self._delivered, self._delivered_pulse, self._quiet_at = data, pulse, None

    def _made_up(self) -> bool:
        """True unless there was silence to make up for and it could not be delivered."""
        if self._quiet_at is None or self._delivered is None:
            return True
        return self._deliver(restamped(self._delivered, self._quiet_at))

    def _run(self) -> None:
        self._try()
        while not self._stopped.wait(self._interval):
            self._try()
        self._try()

    def _try(self) -> None:
        try:
            self.tick()
        except Exception:
            # The thread must outlive any fault of one turn: the counts are safe in their slot.
            _log.exception("metrics could not be collected")

    def _deliver(self, data: MetricsData) -> bool:
        number = self._deliveries.following()
        result = self._exporter.export(numbered(data, number))
        delivered = result is MetricExportResult.SUCCESS
        if delivered:
            self._deliveries.taken(number)
        if delivered == self._failing:
            self._failing = not delivered
            if delivered:
                _log.warning("metrics are delivered again; nothing is missing, counts are totals")
            else:
                _log.warning("metrics cannot be delivered; the counts are kept and sent later")
        return delivered
