"""Spans: one for each request by the packaged Flask instrumentation, two within it of our own."""

from __future__ import annotations

import os
from typing import Any

from flask import Flask, request
from opentelemetry import trace
from opentelemetry.metrics import NoOpMeterProvider
from opentelemetry.trace import Span, StatusCode, TracerProvider

from telemetry.deferred_spans import DeferredSpan
from telemetry.deferred_tracing import DeferredTracer
from telemetry.metrics import (
    ATTRIBUTE_ERROR_TYPE,
    ENDPOINTS,
    METHODS,
    OTHER,
    PROBES,
    SPAN_SCORE,
    SPAN_VALIDATE,
)

# W3C Trace Context, level 2: which trace the request became part of, as the service has it.
TRACE_RESPONSE = "traceresponse"
_PROBE_URLS = rf"^https?://[^/]+({'|'.join(PROBES)})/?(\?|$)"
# What a caller types into a URL may be anybody's data: no span carries it.
REDACTED = {"url.query": "", "client.address": "", "user_agent.original": ""}


def instrument(app: Flask, provider: TracerProvider) -> None:
    """Give every request but the health checks and scrapes a server span."""
    # The instrumentation speaks the old HTTP names unless told so before its first import.
    os.environ.setdefault("OTEL_SEMCONV_STABILITY_OPT_IN", "http")
    from opentelemetry.instrumentation.flask import FlaskInstrumentor

    instrumentor: Any = FlaskInstrumentor()
    instrumentor.instrument_app(
        app,
        # Not the request's hook: what that one sets is overwritten.
        response_hook=_redact,
        tracer_provider=provider,
        # Requests are counted by `recorder`, exactly and over all workers.
        meter_provider=NoOpMeterProvider(),
        excluded_urls=_PROBE_URLS,
        # It attaches a context to each request and never detaches it.
        enable_commenter=False,
    )


def _redact(span: Span | None, status: str, headers: object) -> None:
    if span is None or not span.is_recording():
        return
    path = request.path
    if path not in ENDPOINTS:
        path = OTHER
        # For an unknown path the instrumentation takes the path itself as the name.
        method = request.method if request.method in METHODS else OTHER
        span.update_name(f"{method} {OTHER}")
    span.set_attributes({**REDACTED, "url.path": path})


class Spans:
    """The handler's own spans, within the request's; attributes are those of the table.

    They do not become the current span: nothing within them has spans of its own.
    """

    def __init__(self, tracer: DeferredTracer) -> None:
        self._tracer = tracer

    def validating(self) -> DeferredSpan:
        """Around checking the request's content."""
        return self._start(SPAN_VALIDATE)

    def scoring(self) -> DeferredSpan:
        """Around the model's call."""
        return self._start(SPAN_SCORE)

    def _start(self, name: str) -> DeferredSpan:
        current = trace.get_current_span()
        if isinstance(current, DeferredSpan):
            return current.start_child(name)
        return self._tracer.start_span(name)


def mark_refused(error_type: str) -> None:
    """Put the type of the answer's error on the current span."""
    trace.get_current_span().set_attribute(ATTRIBUTE_ERROR_TYPE, error_type)


def mark_failed() -> None:
    """Give the current span the status of an error: the service failed, not the caller."""
    trace.get_current_span().set_status(StatusCode.ERROR)


def describe_current_trace() -> str:
    """The value of the answer's header TRACE_RESPONSE, empty outside of a trace.

    Whether the trace is kept is not known yet: its flag says no.
    """
    trace_id, span_id = current_ids()
    return f"00-{trace_id}-{span_id}-00" if trace_id else ""


def current_ids() -> tuple[str, str]:
    """Trace id and span id of the current span as hexadecimal text, empty outside of one."""
    span = trace.get_current_span()
    if isinstance(span, DeferredSpan):
        return span.ids()
    context = span.get_span_context()
    if not context.is_valid:
        return "", ""
    return f"{context.trace_id:032x}", f"{context.span_id:016x}"
