"""The trace of a request that is answered before Flask, with the span that Flask's instrumentation
would have made of it."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from types import TracebackType
from typing import Any, Self

from opentelemetry import context, trace
from opentelemetry.trace import SpanKind, StatusCode
from opentelemetry.util.types import AttributeValue

from telemetry.deferred_spans import Caller, DeferredSpan
from telemetry.deferred_tracing import DeferredTracer
from telemetry.metrics import ATTRIBUTE_ERROR_TYPE, ATTRIBUTE_STATUS_CODE
from telemetry.tracing import REDACTED


class RequestTracer:
    """Begins the traces of requests as an ASGI server describes them."""

    def __init__(self, tracer: DeferredTracer) -> None:
        # Here, because it reads OTEL_PROPAGATORS: `build_tracer_provider` has refused a wrong one.
        from opentelemetry import propagate

        self._tracer = tracer
        self._extract = propagate.extract
        self._fields = frozenset(propagate.get_global_textmap().fields)

    def begin(
        self, scope: Mapping[str, Any], endpoint: str, headers: Mapping[str, str]
    ) -> RequestTrace:
        """The trace of a request to `endpoint`, a path of the table ENDPOINTS.

        `scope` is ASGI's; names in `headers` are in lower case. The answer's status is told by
        `finish`, within the block that the trace is.
        """
        caller = None if self._fields.isdisjoint(headers) else _find_caller(self._extract(headers))
        name = f"{scope['method']} {endpoint}"
        span = self._tracer.start_first_span(name, SpanKind.SERVER, caller)
        span.describe = partial(_describe, scope, endpoint, headers)
        return RequestTrace(span)


class RequestTrace:
    """A request's trace; within its block the server span is the current one.

    When the block ends, which is best after the answer was sent, the spans are written if the
    trace is kept. `trace_id` and `span_id` are hexadecimal, as logs and `traceparent` have them.
    """

    __slots__ = ("_span", "_token")

    def __init__(self, span: DeferredSpan) -> None:
        self._span = span

    @property
    def trace_id(self) -> str:
        """Of the request, whether it is kept or not."""
        return self._span.ids()[0]

    @property
    def span_id(self) -> str:
        """Of the server span."""
        return self._span.ids()[1]

    def finish(self, status: int, error_type: str = "") -> None:
        """The answer is ready: now is when the server span ends."""
        span = self._span
        span.attributes[ATTRIBUTE_STATUS_CODE] = status
        if status >= 500:
            span.status = StatusCode.ERROR
            error_type = str(status)
        if error_type:
            span.attributes[ATTRIBUTE_ERROR_TYPE] = error_type
        span.stop()

    def __enter__(self) -> Self:
        self._token = context.attach(trace.set_span_in_context(self._span))
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        context.detach(self._token)
        # After `finish` it is the caller who went away before the answer was sent.
        if kind is not None and self._span.is_recording():
            self._span.set_status(StatusCode.ERROR)
        self._span.end()


def _describe(
    scope: Mapping[str, Any], endpoint: str, headers: Mapping[str, str]
) -> dict[str, AttributeValue]:
    """The request's attributes, as far as the server knows them."""
    host, port = scope.get("server") or (None, None)
    known: dict[str, AttributeValue | None] = {
        "http.request.method": scope["method"],
        "http.route": endpoint,
        "url.scheme": scope.get("scheme", "http"),
        "url.path": endpoint,
        "server.address": headers.get("host") or host,
        "server.port": port,
        "network.protocol.version": scope.get("http_version"),
        **REDACTED,
    }
    return {name: value for name, value in known.items() if value is not None}


def _find_caller(found: context.Context) -> Caller | None:
    span = trace.get_current_span(found).get_span_context()
    return Caller(span, found) if span.is_valid else None
