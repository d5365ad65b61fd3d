"""The last kept request in each bucket, so that a point in a histogram leads to its trace."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass

from opentelemetry import trace

from telemetry.deferred_spans import DeferredSpan, Measurement


@dataclass(frozen=True)
class Sample:
    """One measurement, and the span of a kept trace that it was taken in."""

    value: float
    time_unix_nano: int
    trace_id: int
    span_id: int


class Exemplars:
    """Samples by cell (the first cell of a series plus the bucket's number), newest wins.

    Threads may offer at the same time: assigning to a dictionary is atomic.
    """

    def __init__(self) -> None:
        self._samples: dict[int, Sample] = {}

    @staticmethod
    def offer(cell: int, value: float) -> None:
        """Note the measurement with the current trace, until it is known whether that is kept."""
        span = trace.get_current_span()
        if isinstance(span, DeferredSpan):
            span.trace.measure(cell, value)

    def keep(self, trace_id: int, measurements: Sequence[Measurement]) -> None:
        """Take what was measured in a trace that is kept."""
        now = time.time_ns()
        for cell, value, span_id in measurements:
            self._samples[cell] = Sample(value, now, trace_id, span_id)

    def take(self) -> dict[int, Sample]:
        """What was kept since the last call."""
        taken, self._samples = self._samples, {}
        return taken
