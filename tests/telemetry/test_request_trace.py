"""A request that Flask does not see has the trace that Flask's instrumentation would have made."""

from __future__ import annotations

import time
from typing import Any

import pytest
from opentelemetry import trace
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import StatusCode

from telemetry.lifecycle import Telemetry
from telemetry.tracing import current_ids
from tests.conftest import LocationRiskScorer
from tests.json_client import JsonClient

CALLER = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
# As ASGI servers give it: https://asgi.readthedocs.io/en/latest/specs/www.html
SCOPE: dict[str, Any] = {
    "type": "http",
    "method": "POST",
    "scheme": "http",
    "http_version": "1.1",
    "path": "/predict",
    "query_string": b"card=4111111111111111",
    "server": ("localhost", 80),
    "client": ("203.0.113.7", 4711),
}
HEADERS = {"host": "localhost", "user-agent": "somebody/1.0"}


def answer(
    telemetry: Telemetry, status: int = 200, error_type: str = "", **headers: str
) -> tuple[str, str]:
    """One request as the ASGI path answers it; its ids in the log."""
    with telemetry.request_tracer.begin(SCOPE, "/predict", HEADERS | headers) as request:
        with telemetry.spans.validating():
            pass
        if status == 200:
            with telemetry.spans.scoring() as span:
                span.set_attribute("prediction.class_name", "legitimate")
                span.set_attribute("prediction.count", 1)
                span.set_attribute("model.version", "1-abcd1234")
        logged = current_ids()
        assert logged == (request.trace_id, request.span_id)
        request.finish(status, error_type)
    return logged


def describe(span: ReadableSpan, named: dict[int, str]) -> dict[str, object]:
    """All that two ways to make a span must agree on; parents by their names."""
    return {
        "name": span.name,
        "kind": span.kind,
        "attributes": dict(span.attributes or {}),
        "status": span.status.status_code,
        "description": span.status.description,
        "parent": named.get(span.parent.span_id, "caller") if span.parent else None,
        "resource": dict(span.resource.attributes),
        "events": len(span.events),
        "links": len(span.links),
    }


def take(spans: InMemorySpanExporter) -> dict[str, dict[str, object]]:
    finished = spans.get_finished_spans()
    spans.clear()
    named = {span.context.span_id: span.name for span in finished if span.context}
    return {span.name: describe(span, named) for span in finished}


@pytest.mark.parametrize("traceparent", ["", CALLER], ids=["alone", "called"])
@pytest.mark.parametrize(
    ("status", "error_type"),
    [(200, ""), (400, "missing_field"), (500, "internal")],
)
def test_spans_are_those_of_the_flask_instrumentation(
    client: JsonClient,
    recorded: Telemetry,
    spans: InMemorySpanExporter,
    scorer: LocationRiskScorer,
    valid: dict[str, object],
    status: int,
    error_type: str,
    traceparent: str,
) -> None:
    headers = {"traceparent": traceparent} if traceparent else {}
    scorer.fault = RuntimeError("x") if status == 500 else None
    client.post("/predict", json={} if status == 400 else valid, headers=headers)
    by_flask = take(spans)
    by_flask.pop("score" if status == 500 else "", None)
    answer(recorded, status, error_type, **headers)
    assert take(spans) == by_flask


def test_times_are_those_of_the_work(recorded: Telemetry, spans: InMemorySpanExporter) -> None:
    before = time.time_ns()
    with recorded.request_tracer.begin(SCOPE, "/predict", HEADERS) as request:
        with recorded.spans.validating():
            time.sleep(0.01)
        request.finish(200)
        time.sleep(0.01)  # The answer is sent: that is not the request's time.
    server, validate = sorted(spans.get_finished_spans(), key=lambda span: span.name)
    assert None not in (server.start_time, server.end_time, validate.start_time, validate.end_time)
    assert server.start_time and server.end_time and validate.start_time and validate.end_time
    assert before <= server.start_time <= validate.start_time
    assert validate.end_time - validate.start_time >= 10_000_000
    assert validate.end_time <= server.end_time <= time.time_ns() - 10_000_000


def test_request_without_an_answer_is_kept_as_failed(
    recorded: Telemetry, spans: InMemorySpanExporter
) -> None:
    def fail() -> None:
        with recorded.request_tracer.begin(SCOPE, "/predict", HEADERS):
            raise ConnectionResetError("203.0.113.7")

    with pytest.raises(ConnectionResetError):
        fail()
    [server] = spans.get_finished_spans()
    assert server.status.status_code is StatusCode.ERROR
    assert "203.0.113.7" not in server.to_json()


def test_caller_who_goes_away_is_no_failure_of_the_service(
    recorded: Telemetry, spans: InMemorySpanExporter
) -> None:
    def send() -> None:
        with recorded.request_tracer.begin(SCOPE, "/predict", HEADERS) as request:
            request.finish(200)
            raise ConnectionResetError

    with pytest.raises(ConnectionResetError):
        send()
    [server] = spans.get_finished_spans()
    assert server.status.status_code is StatusCode.UNSET


def test_ids_are_those_that_are_exported(recorded: Telemetry, spans: InMemorySpanExporter) -> None:
    trace_id, span_id = answer(recorded)
    contexts = {one.name: one.context for one in spans.get_finished_spans()}
    assert {f"{one.trace_id:032x}" for one in contexts.values() if one} == {trace_id}
    server = contexts["POST /predict"]
    assert server is not None and f"{server.span_id:016x}" == span_id


def test_no_span_is_current_after_the_request(recorded: Telemetry) -> None:
    answer(recorded)
    assert trace.get_current_span() is trace.INVALID_SPAN


@pytest.mark.parametrize("broken", ["", "00-x", "00-" + "0" * 32 + "-b7ad6b7169203331-01", "é"])
def test_broken_traceparent_begins_a_trace(
    recorded: Telemetry, spans: InMemorySpanExporter, broken: str
) -> None:
    answer(recorded, traceparent=broken)
    [server] = [span for span in spans.get_finished_spans() if span.name == "POST /predict"]
    assert server.parent is None


def test_spans_of_two_requests_at_once_stay_apart(
    recorded: Telemetry, spans: InMemorySpanExporter
) -> None:
    """On an event loop each request has a context of its own; here two are nested by force."""
    with recorded.request_tracer.begin(SCOPE, "/predict", HEADERS) as outer:
        with recorded.request_tracer.begin(SCOPE, "/predict", HEADERS) as inner:
            inner.finish(200)
        outer.finish(200)
    parents = [span.parent for span in spans.get_finished_spans()]
    assert parents == [None, None]
    assert inner.trace_id != outer.trace_id
