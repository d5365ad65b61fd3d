"""Exemplars lead to traces that are kept, and to no others."""

from __future__ import annotations

import json

from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from telemetry.deferred_spans import Measurement
from telemetry.exemplars import Exemplars
from telemetry.lifecycle import Telemetry
from tests.json_client import JsonClient


def ids_of_exemplars(telemetry: Telemetry) -> set[str]:
    """Trace ids in what would be pushed now."""
    found: set[str] = set()
    for resource in json.loads(telemetry.collect().to_json())["resource_metrics"]:
        for scope in resource["scope_metrics"]:
            for metric in scope["metrics"]:
                for point in metric["data"]["data_points"]:
                    found |= {f"{one['trace_id']:032x}" for one in point.get("exemplars", ())}
    return found


def test_newest_of_kept_traces_is_told() -> None:
    exemplars = Exemplars()
    for trace_id in (1, 2):
        exemplars.keep(trace_id, [Measurement(40, 0.5, 7), Measurement(41 + trace_id, 0.25, 7)])
    taken = exemplars.take()
    assert {cell: (one.value, one.trace_id) for cell, one in taken.items()} == {
        40: (0.5, 2),
        42: (0.25, 1),
        43: (0.25, 2),
    }
    assert exemplars.take() == {}


def test_measurement_outside_of_any_trace_is_no_exemplar() -> None:
    exemplars = Exemplars()
    exemplars.offer(40, 0.5)
    assert exemplars.take() == {}


def test_every_exemplar_leads_to_a_trace_that_was_written(
    client: JsonClient,
    recorded: Telemetry,
    spans: InMemorySpanExporter,
    valid: dict[str, object],
) -> None:
    client.post("/predict", json=valid)
    client.get("/model_info")
    written = {
        f"{context.trace_id:032x}"
        for span in spans.get_finished_spans()
        if (context := span.get_span_context())
    }
    assert ids_of_exemplars(recorded) == written
    assert len(written) == 2


def test_no_exemplar_where_no_trace_is_written(
    client: JsonClient, recorded: Telemetry, valid: dict[str, object]
) -> None:
    """Without a processor that takes spans no trace leaves, whatever its id."""
    client.post("/predict", json=valid)
    assert ids_of_exemplars(recorded) == set()
