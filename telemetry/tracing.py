"""Spans: one for each request by the packaged Flask instrumentation, two within it of our own."""

from __future__ import annotations

import os
from contextlib import AbstractContextManager
from typing import Any

from flask import Flask, request
from opentelemetry import trace
from opentelemetry.metrics import NoOpMeterProvider
from opentelemetry.trace import Span, StatusCode, Tracer, TracerProvider

from telemetry.metrics import (
    ATTRIBUTE_ERROR_TYPE,
    ENDPOINTS,
    METHODS,
    OTHER,
    PROBES,
    SPAN_SCORE,
    SPAN_VALIDATE,
)

_PROBE_URLS = rf"^https?://[^/]+({'|'.join(PROBES)})/?(\?|$)"
# What a caller types into a URL may be anybody's data: no span carries it.
_REDACTED = {"url.query": "", "client.address": "", "user_agent.original": ""}


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
    span.set_attributes({**_REDACTED, "url.path": path})


class Spans:
    """The handler's own spans; attributes are those of the table.

    An exception's message may echo what the caller sent, so no span records one.
    """

    def __init__(self, tracer: Tracer) -> None:
        self._tracer = tracer

    def validating(self) -> AbstractContextManager[Span]:
        """Around checking the request's content."""
        return self._span(SPAN_VALIDATE)

    def scoring(self) -> AbstractContextManager[Span]:
        """Around the model's call."""
        return self._span(SPAN_SCORE)

    def _span(self, name: str) -> AbstractContextManager[Span]:
        return self._tracer.start_as_current_span(
            name, record_exception=False, set_status_on_exception=False
        )


def mark_refused(error_type: str) -> None:
    """Put the type of the answer's error on the current span."""
    trace.get_current_span().set_attribute(ATTRIBUTE_ERROR_TYPE, error_type)


def mark_failed() -> None:
    """Give the current span the status of an error: the service failed, not the caller."""
    trace.get_current_span().set_status(StatusCode.ERROR)


def current_ids() -> tuple[str, str]:
    """Trace id and span id of the current span as hexadecimal text, empty outside of one."""
    context = trace.get_current_span().get_span_context()
    if not context.is_valid:
        return "", ""
    return f"{context.trace_id:032x}", f"{context.span_id:016x}"
