"""Spans whose contents are only noted, until it is known whether their trace is kept."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Mapping
from typing import NamedTuple

from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.trace import Link, SpanContext, SpanKind, Status, StatusCode, TraceFlags
from opentelemetry.util.types import Attributes, AttributeValue

# As the SDK's RandomIdGenerator; an id of zeros is none.
_random_bits = random.getrandbits


class Measurement(NamedTuple):
    """A value that was counted in the bucket with this cell, within this span."""

    cell: int
    value: float
    span_id: int


class Caller(NamedTuple):
    """Whose request it is, by its trace context; `context` is what the propagator made of it."""

    span: SpanContext
    context: Context | None


class DeferredTrace:
    """The spans of one trace in this process, until the first of them ends and `decide` is called.

    `sampled_from_start`: it is certain from the id or the caller that the trace is kept.
    `innermost` is the span that was begun last and goes on.
    """

    __slots__ = (
        "_monotonic_ns", "_started_ns", "caller", "decide", "innermost", "measurements",
        "sampled_from_start", "spans", "trace_id",
    )  # fmt: skip

    def __init__(
        self,
        decide: Callable[[DeferredTrace], None],
        is_in_share: Callable[[int], bool],
        caller: Caller | None = None,
    ) -> None:
        self.decide = decide
        self.caller = caller
        self.trace_id = caller.span.trace_id if caller else _random_bits(128) or 1
        self.sampled_from_start = self.caller_sampled if caller else is_in_share(self.trace_id)
        self.spans: list[DeferredSpan] = []
        self.innermost: DeferredSpan | None = None
        self.measurements: list[Measurement] = []
        # Durations are of the monotonic clock, whatever happens to the other one meanwhile.
        self._started_ns = time.time_ns()
        self._monotonic_ns = time.perf_counter_ns()

    @property
    def caller_sampled(self) -> bool:
        """The caller wants the trace."""
        return self.caller is not None and self.caller.span.trace_flags.sampled

    def now_ns(self) -> int:
        """Nanoseconds since 1970."""
        return self._started_ns + time.perf_counter_ns() - self._monotonic_ns

    def measure(self, cell: int, value: float) -> None:
        """Note what was counted, for an exemplar if the trace is kept."""
        if self.innermost is not None:
            self.measurements.append(Measurement(cell, value, self.innermost.span_id))

    def finish(self) -> None:
        """Its first span has ended: decide about all, and let go of them."""
        for span in self.spans:
            span.end_ns = span.end_ns or self.spans[0].end_ns
        self.decide(self)
        # They name the trace, and the trace them: nobody should need the garbage collector.
        self.spans = []
        self.innermost = None


class DeferredSpan(trace.Span):
    """A span of OpenTelemetry's API; as a context manager it ends itself.

    It takes no events and no exceptions: their messages may echo what a caller sent. `describe`
    gives attributes that are only worth finding where the trace is kept.
    """

    # What few spans change is the class's: making a span is on the path of every request.
    links: tuple[Link, ...] = ()
    status = StatusCode.UNSET
    end_ns = 0
    describe: Callable[[], Mapping[str, AttributeValue]] = dict
    _ids: tuple[str, str] | None = None

    def __init__(
        self,
        trace: DeferredTrace,
        tracer: trace.Tracer,
        name: str,
        parent: DeferredSpan | None = None,
        kind: SpanKind = SpanKind.INTERNAL,
        start_ns: int | None = None,
    ) -> None:
        self.trace = trace
        self.tracer = tracer
        self.name = name
        self.parent = parent
        self.kind = kind
        self.span_id = _random_bits(64) or 1
        self.attributes: dict[str, AttributeValue] = {}
        self.start_ns = trace.now_ns() if start_ns is None else start_ns
        trace.spans.append(self)
        trace.innermost = self

    def ids(self) -> tuple[str, str]:
        """Trace id and span id, hexadecimal as logs and headers have them."""
        if self._ids is None:
            self._ids = f"{self.trace.trace_id:032x}", f"{self.span_id:016x}"
        return self._ids

    def start_child(self, name: str) -> DeferredSpan:
        """A span within this one, which does not become the current one."""
        return DeferredSpan(self.trace, self.tracer, name, self)

    def get_span_context(self) -> SpanContext:
        """Sampled where that is certain before the end."""
        sampled = self.trace.sampled_from_start
        flags = TraceFlags(TraceFlags.SAMPLED if sampled else TraceFlags.DEFAULT)
        return SpanContext(self.trace.trace_id, self.span_id, is_remote=False, trace_flags=flags)

    def is_recording(self) -> bool:
        """Until its end."""
        return not self.end_ns

    def set_attribute(self, key: str, value: AttributeValue) -> None:
        """Note the attribute."""
        if not self.end_ns:
            self.attributes[key] = value

    def set_attributes(self, attributes: Mapping[str, AttributeValue]) -> None:
        """Note the attributes."""
        if not self.end_ns:
            self.attributes.update(attributes)

    def update_name(self, name: str) -> None:
        """Note the name."""
        self.name = name

    def set_status(self, status: Status | StatusCode, description: str | None = None) -> None:
        """Ok is final and unset changes nothing, as the SDK has it; no description is taken."""
        code = status.status_code if isinstance(status, Status) else status
        if self.status is not StatusCode.OK and code is not StatusCode.UNSET:
            self.status = code

    def add_event(
        self, name: str, attributes: Attributes = None, timestamp: int | None = None
    ) -> None:
        """Nothing."""

    def record_exception(
        self,
        exception: BaseException,
        attributes: Attributes = None,
        timestamp: int | None = None,
        escaped: bool = False,
    ) -> None:
        """Nothing."""

    def add_link(self, context: SpanContext, attributes: Attributes = None) -> None:
        """Note the link."""
        self.links = (*self.links, Link(context, attributes))

    def stop(self) -> None:
        """Note the time of the end, which is not that of the decision."""
        self.end_ns = self.end_ns or self.trace.now_ns()

    def end(self, end_time: int | None = None) -> None:
        """Note the time, unless it was; the first span of a trace ends the trace."""
        self.end_ns = self.end_ns or end_time or self.trace.now_ns()
        self.trace.innermost = self.parent
        if self.parent is None and self.trace.spans:
            self.trace.finish()

    def __exit__(self, *_: object) -> None:
        self.end()
