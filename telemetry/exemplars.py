"""The last sampled request in each bucket, so that a point in a histogram leads to its trace."""

from __future__ import annotations

import time
from dataclasses import dataclass

from opentelemetry import trace

# As TRACES_SHARE_PERCENT in otel-collector/distribution/settings.go has it by default; there the
# share is decided by the trace id alone, so it can be foreseen here.
_KEPT_OF_65536 = 65536 * 10 // 100


def will_be_kept(trace_id: int) -> bool:
    """True for the share of traces that the Collector keeps whatever is in them."""
    return trace_id % 65536 < _KEPT_OF_65536


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
        """Remember the measurement if the current span is sampled.

        One whose trace the Collector is going to keep is not given up for one of which nobody
        knows: most traces are dropped there, and an exemplar is worth the trace it leads to.
        """
        context = trace.get_current_span().get_span_context()
        if not context.trace_flags.sampled or not context.is_valid:
            return
        held = self._samples.get(cell)
        if held is None or will_be_kept(context.trace_id) or not will_be_kept(held.trace_id):
            self._samples[cell] = Sample(value, time.time_ns(), context.trace_id, context.span_id)

    def take(self) -> dict[int, Sample]:
        """What was offered since the last call."""
        taken, self._samples = self._samples, {}
        return taken
