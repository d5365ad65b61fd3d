"""No value of a transaction leaves the process but in the answer to its caller."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable

import pytest
from flask.testing import FlaskClient
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from telemetry.logs import JsonFormatter

# Numbers that occur nowhere else.
MARKED = {
    "amount": 7171.71,
    "age": 71,
    "account_balance": 717171.71,
    "transaction_frequency": 171,
    "location_risk": 0.71717171,
}
Lines = Callable[[], list[str]]
MARKS = ["7171", "171", "71717"]


@pytest.fixture
def lines(caplog: pytest.LogCaptureFixture) -> Lines:
    """The service's log lines as they are written."""
    caplog.set_level(logging.DEBUG)
    return lambda: [JsonFormatter().format(record) for record in caplog.records]


@pytest.mark.parametrize("broken", [{}, {"amount": "717171"}, {"age": 7171}, {"x717171": 1}])
def test_logs_carry_no_feature_value(
    client: FlaskClient, lines: Lines, broken: dict[str, object]
) -> None:
    client.post("/predict", json=MARKED | broken)
    written = [line for line in lines() if "request answered" in line]
    assert written
    for line in written:
        kept = {
            k: v for k, v in json.loads(line).items() if k in ("message", "error_type", "endpoint")
        }
        assert not any(mark in json.dumps(kept) for mark in MARKS)
        assert set(json.loads(line)) <= {
            "time", "level", "logger", "message", "process", "request_id", "method", "endpoint",
            "status", "duration_ms", "error_type", "trace_id", "span_id",
        }  # fmt: skip


@pytest.mark.parametrize("broken", [{}, {"amount": "717171"}, {"age": 7171}])
def test_spans_carry_no_feature_value(
    client: FlaskClient, spans: InMemorySpanExporter, broken: dict[str, object]
) -> None:
    client.post("/predict?amount=717171", json=MARKED | broken)
    assert spans.get_finished_spans()
    for span in spans.get_finished_spans():
        values = {k: v for k, v in (span.attributes or {}).items() if isinstance(v, str)}
        events = [str(dict(event.attributes or {})) for event in span.events]
        written = json.dumps([span.name, values, events, span.status.description])
        assert not any(mark in written for mark in MARKS)


def test_unknown_path_is_not_in_the_span(client: FlaskClient, spans: InMemorySpanExporter) -> None:
    client.get("/card/7171717171")
    [span] = spans.get_finished_spans()
    assert "7171717171" not in str(dict(span.attributes or {})) + span.name


def test_labels_carry_no_feature_value(client: FlaskClient) -> None:
    client.post("/predict", json=MARKED)
    labels = [line.rsplit(" ", 1)[0] for line in client.get("/metrics").text.splitlines()]
    assert not any("7171" in label for label in labels)
