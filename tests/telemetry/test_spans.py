"""Spans: the request, and within it the validation and the scoring."""

from opentelemetry.trace import StatusCode


def named(spans):
    return {span.name: span for span in spans.get_finished_spans()}


def test_request_has_spans_for_validation_and_scoring(client, spans, valid):
    client.post("/predict", json=valid)
    found = named(spans)
    assert set(found) == {"POST /predict", "validate", "score"}
    server = found["POST /predict"].context.span_id
    assert found["validate"].parent.span_id == found["score"].parent.span_id == server


def test_scoring_span_tells_class_count_and_version(client, spans, valid):
    rows = [valid, valid | {"location_risk": 0.9}]
    client.post("/predict", json={"transactions": rows})
    assert dict(named(spans)["score"].attributes) == {
        "prediction.class_name": "fraud",
        "prediction.count": 2,
        "model.version": "1-abcd1234",
    }


def test_standard_names_are_used(client, spans, valid):
    client.post("/predict", json=valid)
    attributes = named(spans)["POST /predict"].attributes
    assert attributes["http.request.method"] == "POST"
    assert attributes["http.route"] == "/predict"
    assert attributes["http.response.status_code"] == 200


def test_trace_of_the_caller_goes_on(client, spans, valid):
    trace_id = "0af7651916cd43dd8448eb211c80319c"
    headers = {"traceparent": f"00-{trace_id}-b7ad6b7169203331-01"}
    client.post("/predict", json=valid, headers=headers)
    assert f"{named(spans)['score'].context.trace_id:032x}" == trace_id


def test_refusal_is_told_by_its_type(client, spans):
    client.post("/predict", json={})
    assert named(spans)["POST /predict"].attributes["error.type"] == "missing_field"


def test_refusal_is_the_callers_fault_not_the_services(client, spans):
    client.post("/predict", json={})
    assert named(spans)["POST /predict"].status.status_code is not StatusCode.ERROR


def test_health_checks_and_scrapes_have_no_spans(client, spans):
    for path in ("/health", "/health/live", "/health/ready", "/metrics"):
        client.get(path)
    assert spans.get_finished_spans() == ()
