"""A tracer provider in front of the SDK's that writes the spans of kept traces only.

The sampler decides when the first span of a trace in this process ends. A trace that is kept is
then made of spans of the SDK, with the noted ids and times; of any other nothing is left.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from threading import Lock
from typing import Any

from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.id_generator import RandomIdGenerator
from opentelemetry.sdk.trace.sampling import Decision
from opentelemetry.trace import Link, SpanKind, StatusCode, set_span_in_context
from opentelemetry.util.types import Attributes

from model.serving.vocabulary import FRAUD
from telemetry.deferred_spans import Caller, DeferredSpan, DeferredTrace, Measurement
from telemetry.metrics import ATTRIBUTE_CLASS_NAME, ATTRIBUTE_STATUS_CODE
from telemetry.tail_sampling import RequestFacts, TailSampler


class DeferredTracerProvider(trace.TracerProvider):
    """What instrumentations are given. While no processor takes spans, no trace is kept.

    OTEL_TRACES_SAMPLER is obeyed: what the SDK's own sampler does not take is not kept either.
    `take_exemplars` gets the id and the measurements of each kept trace.
    """

    def __init__(
        self,
        resource: Resource,
        sampler: TailSampler,
        trust_caller: bool,
        take_exemplars: Callable[[int, Sequence[Measurement]], None],
    ) -> None:
        self._sampler = sampler
        self._trust_caller = trust_caller
        self._take_exemplars = take_exemplars
        self._writer = _SpanWriter(resource)
        self._has_processor = False

    @property
    def resource(self) -> Resource:
        """Who the spans are of."""
        return self._writer.provider.resource

    def get_tracer(
        self,
        instrumenting_module_name: str,
        instrumenting_library_version: str | None = None,
        schema_url: str | None = None,
        attributes: Attributes = None,
    ) -> DeferredTracer:
        """A tracer whose spans are of this instrumentation scope."""
        sdk = self._writer.provider.get_tracer(
            instrumenting_module_name, instrumenting_library_version, schema_url, attributes
        )
        return DeferredTracer(self, sdk)

    def add_span_processor(self, processor: SpanProcessor) -> None:
        """Let `processor` have the spans of kept traces."""
        self._has_processor = True
        self._writer.provider.add_span_processor(processor)

    def shutdown(self) -> None:
        """Export what is kept."""
        self._writer.provider.shutdown()

    def start_trace(self, caller: Caller | None = None) -> tuple[DeferredTrace, tuple[Link, ...]]:
        """A trace that goes on with the caller's where callers are trusted, else linked to it."""
        share = self._sampler.is_in_share
        if caller is None or self._trust_caller:
            return DeferredTrace(self._decide, share, caller), ()
        return DeferredTrace(self._decide, share), (Link(caller.span),)

    def _decide(self, request: DeferredTrace) -> None:
        if not self._has_processor:
            return
        facts = _find_facts(request)
        if not self._sampler.has_reason(facts):
            return
        if self._writer.is_sampled(request) and self._sampler.admit(facts):
            self._writer.write(request.spans)
            self._take_exemplars(request.trace_id, request.measurements)


class DeferredTracer(trace.Tracer):
    """Makes deferred spans; `sdk` makes those that are kept."""

    def __init__(self, provider: DeferredTracerProvider, sdk: trace.Tracer) -> None:
        self._provider = provider
        self._sdk = sdk

    def start_span(
        self,
        name: str,
        context: Context | None = None,
        kind: SpanKind = SpanKind.INTERNAL,
        attributes: Attributes = None,
        links: Sequence[Link] | None = None,
        start_time: int | None = None,
        record_exception: bool = True,
        set_status_on_exception: bool = True,
    ) -> DeferredSpan:
        """Within the context's current span where that is deferred, else the first of a trace."""
        parent = trace.get_current_span(context)
        if isinstance(parent, DeferredSpan):
            span = DeferredSpan(parent.trace, self._sdk, name, parent, kind, start_time)
        else:
            found = parent.get_span_context()
            caller = Caller(found, context) if found.is_valid else None
            span = self.start_first_span(name, kind, caller, start_time)
        span.attributes.update(attributes or {})
        span.links += tuple(links or ())
        return span

    def start_first_span(
        self, name: str, kind: SpanKind, caller: Caller | None, start_ns: int | None = None
    ) -> DeferredSpan:
        """The first span of a trace in this process."""
        begun, links = self._provider.start_trace(caller)
        span = DeferredSpan(begun, self._sdk, name, None, kind, start_ns)
        span.links = links
        return span

    def start_as_current_span(self, name: str, *args: Any, **options: Any) -> Any:
        """A span that is the current one in the block."""
        end_on_exit = options.pop("end_on_exit", True)
        return trace.use_span(self.start_span(name, *args, **options), end_on_exit)


class _GivenIds(RandomIdGenerator):
    """Gives the ids that a deferred span has had from its start."""

    trace_id = 0
    span_id = 0

    def generate_trace_id(self) -> int:
        return self.trace_id

    def generate_span_id(self) -> int:
        return self.span_id


class _SpanWriter:
    """Makes the SDK's spans of deferred ones."""

    def __init__(self, resource: Resource) -> None:
        self._ids = _GivenIds()
        self._lock = Lock()
        self.provider = TracerProvider(
            resource=resource, shutdown_on_exit=False, id_generator=self._ids
        )

    def is_sampled(self, request: DeferredTrace) -> bool:
        """True where the SDK's sampler takes the trace."""
        first, context = request.spans[0], _find_context(request)
        asked = self.provider.sampler.should_sample(
            context, request.trace_id, first.name, first.kind, first.attributes, first.links
        )
        return asked.decision is Decision.RECORD_AND_SAMPLE

    def write(self, spans: Sequence[DeferredSpan]) -> None:
        """All spans of one trace, parents before their children."""
        written: dict[int, Context] = {}
        for span in spans:
            parent = span.parent
            context = written[parent.span_id] if parent else _find_context(span.trace)
            made = self._start(span, context)
            written[span.span_id] = set_span_in_context(made, context)
            if span.status is not StatusCode.UNSET:
                made.set_status(span.status)
            made.end(span.end_ns)

    def _start(self, span: DeferredSpan, context: Context) -> trace.Span:
        with self._lock:
            self._ids.trace_id, self._ids.span_id = span.trace.trace_id, span.span_id
            return span.tracer.start_span(
                span.name,
                context,
                span.kind,
                {**span.describe(), **span.attributes},
                span.links,
                span.start_ns,
            )


def _find_context(request: DeferredTrace) -> Context:
    """The caller's; without one an empty context, so that nothing current becomes the parent."""
    found = request.caller.context if request.caller else None
    return Context() if found is None else found


def _find_facts(request: DeferredTrace) -> RequestFacts:
    first, failed, fraud = request.spans[0], False, False
    for span in request.spans:
        if span.status is StatusCode.ERROR:
            failed = True
        if span.attributes.get(ATTRIBUTE_CLASS_NAME) == FRAUD:
            fraud = True
    status = first.attributes.get(ATTRIBUTE_STATUS_CODE)
    return RequestFacts(
        request.trace_id,
        (first.end_ns - first.start_ns) / 1e9,
        status if isinstance(status, int) else 0,
        failed=failed,
        fraud=fraud,
        caller_sampled=request.caller_sampled,
    )
