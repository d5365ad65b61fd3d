"""The last sampled request in each bucket, so that a point in a histogram leads to its trace."""

from __future__ import annotations

import time
from dataclasses import dataclass

from opentelemetry import trace


@dataclass(frozen=True)
class Sample:
    """One measurement and the sampled span that was active when it was taken."""

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

    def offer(self, cell: int, value: float) -> None:
        """Remember the measurement if the current span is sampled."""
        context = trace.get_current_span().get_span_context()
        if context.trace_flags.sampled and context.is_valid:
            self._samples[cell] = Sample(value, time.time_ns(), context.trace_id, context.span_id)

    def take(self) -> dict[int, Sample]:
        """What was offered since the last call."""
        taken, self._samples = self._samples, {}
        return taken
