"""Spans: the request, and within it the validation and the scoring."""

from __future__ import annotations

from flask.testing import FlaskClient
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanContext, StatusCode


def by_name(spans: InMemorySpanExporter) -> dict[str, ReadableSpan]:
    return {span.name: span for span in spans.get_finished_spans()}


def attributes_of(span: ReadableSpan) -> dict[str, object]:
    return dict(span.attributes or {})


def context_of(span: ReadableSpan) -> SpanContext:
    context: SpanContext | None = span.get_span_context()
    assert context is not None
    return context


def parent_of(span: ReadableSpan) -> SpanContext:
    assert span.parent is not None
    return span.parent


def test_request_has_spans_for_validation_and_scoring(
    client: FlaskClient, spans: InMemorySpanExporter, valid: dict[str, object]
) -> None:
    client.post("/predict", json=valid)
    found = by_name(spans)
    assert set(found) == {"POST /predict", "validate", "score"}
    server = context_of(found["POST /predict"]).span_id
    assert parent_of(found["validate"]).span_id == parent_of(found["score"]).span_id == server


def test_scoring_span_has_class_count_and_version(
    client: FlaskClient, spans: InMemorySpanExporter, valid: dict[str, object]
) -> None:
    rows = [valid, valid | {"location_risk": 0.9}]
    client.post("/predict", json={"transactions": rows})
    assert attributes_of(by_name(spans)["score"]) == {
        "prediction.class_name": "fraud",
        "prediction.count": 2,
        "model.version": "1-abcd1234",
    }


def test_standard_names_are_used(
    client: FlaskClient, spans: InMemorySpanExporter, valid: dict[str, object]
) -> None:
    client.post("/predict", json=valid)
    attributes = attributes_of(by_name(spans)["POST /predict"])
    assert attributes["http.request.method"] == "POST"
    assert attributes["http.route"] == "/predict"
    assert attributes["http.response.status_code"] == 200


def test_trace_of_the_caller_goes_on(
    client: FlaskClient, spans: InMemorySpanExporter, valid: dict[str, object]
) -> None:
    trace_id = "0af7651916cd43dd8448eb211c80319c"
    headers = {"traceparent": f"00-{trace_id}-b7ad6b7169203331-01"}
    client.post("/predict", json=valid, headers=headers)
    assert f"{context_of(by_name(spans)['score']).trace_id:032x}" == trace_id


def test_refusal_is_recorded_by_its_type(client: FlaskClient, spans: InMemorySpanExporter) -> None:
    client.post("/predict", json={})
    assert attributes_of(by_name(spans)["POST /predict"])["error.type"] == "missing_field"


def test_refusal_is_the_callers_fault_not_the_services(
    client: FlaskClient, spans: InMemorySpanExporter
) -> None:
    client.post("/predict", json={})
    assert by_name(spans)["POST /predict"].status.status_code is not StatusCode.ERROR


def test_health_checks_and_scrapes_have_no_spans(
    client: FlaskClient, spans: InMemorySpanExporter
) -> None:
    for path in ("/health", "/health/live", "/health/ready", "/metrics"):
        client.get(path)
    assert spans.get_finished_spans() == ()
