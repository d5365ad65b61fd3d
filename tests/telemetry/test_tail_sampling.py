"""Which traces are kept: the Collector's policies, a bound on strangers, the SDK's own sampler."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from handler import choose_traces, create_app
from service.receipts import Receipts
from service.settings import TABLE, Settings, read_settings
from telemetry.lifecycle import Telemetry, start
from telemetry.tail_sampling import RequestFacts, TailSampler, TraceSettings
from telemetry.token_bucket import TokenBucket
from tests.conftest import FACTS, SILENT, LocationRiskScorer, total
from tests.json_client import JsonClient, make_client

ORDINARY = RequestFacts(trace_id=0xFFFF, seconds=0.01, status=200)
SAMPLED = "00-0af7651916cd43dd8448eb211c8ffff0-b7ad6b7169203331-01"
NOT_SAMPLED = SAMPLED[:-2] + "00"


@pytest.mark.parametrize(
    ("request_", "kept"),
    [
        (ORDINARY, False),
        (replace(ORDINARY, trace_id=0xAAAA_0000 + 6552), True),
        (replace(ORDINARY, trace_id=0xAAAA_0000 + 6553), False),
        (replace(ORDINARY, seconds=0.4999), False),
        (replace(ORDINARY, seconds=0.5), True),
        (replace(ORDINARY, status=400), True),
        (replace(ORDINARY, status=429), True),
        (replace(ORDINARY, status=404), False),
        (replace(ORDINARY, status=405), False),
        (replace(ORDINARY, failed=True), True),
        (replace(ORDINARY, fraud=True), True),
        (replace(ORDINARY, caller_sampled=True), True),
    ],
    ids=str,
)
def test_policies(recorded: Telemetry, request_: RequestFacts, kept: bool) -> None:
    assert TailSampler(TraceSettings(), recorded.recorder).has_reason(request_) is kept


def test_bucket_fills_with_time_and_not_beyond_its_size() -> None:
    now = 0.0
    bucket = TokenBucket(2, clock=lambda: now)
    assert [bucket.take() for _ in range(3)] == [True, True, False]
    now = 0.5
    assert [bucket.take() for _ in range(2)] == [True, False]
    now = 100.0
    assert [bucket.take() for _ in range(3)] == [True, True, False]


def read_default(name: str) -> str:
    [setting] = [one for one in TABLE if one.name == name]
    return setting.default


@pytest.mark.parametrize("name", ["TRACES_SHARE_PERCENT", "TRACES_SLOW_MS"])
def test_default_and_bounds_are_the_collectors(request: pytest.FixtureRequest, name: str) -> None:
    """One variable serves both; where it is not set they still agree."""
    [setting] = [one for one in TABLE if one.name == name]
    code = (request.config.rootpath / "otel-collector/distribution/settings.go").read_text()
    found = re.search(rf'r\.number\("{name}", (\d+), (\d+), ([\d_]+)\)', code)
    assert found is not None
    assert [int(text) for text in found.groups()] == [
        int(setting.default),
        setting.minimum,
        setting.maximum,
    ]


def test_defaults_without_settings_are_those_of_the_settings() -> None:
    """Tools and tests start telemetry without the service's settings."""
    usual = TraceSettings()
    assert {
        "TRACES_SHARE_PERCENT": usual.share_percent,
        "TRACES_SLOW_MS": usual.slow_ms,
        "TRACES_PER_SECOND": usual.most_per_second,
    } == {
        name: int(read_default(name))
        for name in ("TRACES_SHARE_PERCENT", "TRACES_SLOW_MS", "TRACES_PER_SECOND")
    }


Serve = Callable[..., tuple[JsonClient, InMemorySpanExporter]]


@pytest.fixture
def serve(tmp_path: Path, settings: Settings, request: pytest.FixtureRequest) -> Serve:
    """serve(**fields of TraceSettings): a client, and where the kept spans are."""

    def begin(**traces: Any) -> tuple[JsonClient, InMemorySpanExporter]:
        chosen = replace(TraceSettings(share_percent=0), **traces)
        telemetry = start(tmp_path / "served", FACTS, 5000, SILENT, chosen)
        request.addfinalizer(lambda: telemetry.close(1))
        exporter = InMemorySpanExporter()
        telemetry.tracer_provider.add_span_processor(SimpleSpanProcessor(exporter))
        app = create_app(LocationRiskScorer(), telemetry, Receipts(["key"]), settings)
        return make_client(app), exporter

    return begin


def trace_ids(spans: InMemorySpanExporter) -> set[str]:
    contexts = [span.get_span_context() for span in spans.get_finished_spans()]
    return {f"{context.trace_id:032x}" for context in contexts if context is not None}


def test_ordinary_request_leaves_no_span(serve: Serve, valid: dict[str, object]) -> None:
    client, spans = serve()
    client.post("/predict", json=valid)
    client.get("/nowhere")
    assert spans.get_finished_spans() == ()


@pytest.mark.parametrize(
    "rows", [{"location_risk": 0.9}, {"amount": "x"}], ids=["fraud", "refused"]
)
def test_what_matters_is_kept_whole(
    serve: Serve, valid: dict[str, object], rows: dict[str, object]
) -> None:
    client, spans = serve()
    client.post("/predict", json=valid | rows)
    names = {span.name for span in spans.get_finished_spans()}
    assert names >= {"POST /predict", "validate"}
    assert len(trace_ids(spans)) == 1


def test_trusted_callers_sampled_trace_is_kept_beyond_the_bound(
    serve: Serve, valid: dict[str, object]
) -> None:
    client, spans = serve(most_per_second=1)
    for _ in range(5):
        client.post("/predict", json=valid, headers={"traceparent": SAMPLED})
    servers = [span for span in spans.get_finished_spans() if span.name == "POST /predict"]
    assert len(servers) == 5
    assert trace_ids(spans) == {SAMPLED.split("-")[1]}


def test_trusted_callers_unsampled_trace_is_not_kept(
    serve: Serve, valid: dict[str, object]
) -> None:
    """As the default sampler says, parentbased_always_on, whatever became of the request."""
    client, spans = serve(share_percent=100)
    client.post("/predict", json=valid, headers={"traceparent": NOT_SAMPLED})
    client.post("/predict", json={}, headers={"traceparent": NOT_SAMPLED})
    assert spans.get_finished_spans() == ()


def test_strangers_trace_is_linked_to_and_decides_nothing(
    serve: Serve, valid: dict[str, object]
) -> None:
    client, spans = serve(trust_caller=False)
    client.post("/predict", json=valid, headers={"traceparent": SAMPLED})
    assert spans.get_finished_spans() == ()
    client.post("/predict", json={}, headers={"traceparent": SAMPLED})
    [server] = [span for span in spans.get_finished_spans() if span.name == "POST /predict"]
    assert server.parent is None
    assert [f"{link.context.trace_id:032x}" for link in server.links] == [SAMPLED.split("-")[1]]
    assert trace_ids(spans).isdisjoint({SAMPLED.split("-")[1]})


def test_kept_traces_have_a_bound_and_the_rest_is_counted(serve: Serve) -> None:
    """A flood of refusals, which anybody can make, is not a flood of spans."""
    client, spans = serve(most_per_second=3)
    for _ in range(50):
        client.post("/predict", json={})
    kept = len(trace_ids(spans))
    text = client.get("/metrics").text
    assert total(text, "request_traces_total", result="kept") == kept
    assert total(text, "request_traces_total", result="limited") == 50 - kept > 0


def test_share_leaves_room_for_what_matters(serve: Serve, valid: dict[str, object]) -> None:
    client, spans = serve(share_percent=100, most_per_second=4)
    for _ in range(50):
        client.post("/predict", json=valid)
    for _ in range(2):
        client.post("/predict", json={})
    statuses = [
        span.attributes["http.response.status_code"]
        for span in spans.get_finished_spans()
        if span.name == "POST /predict" and span.attributes
    ]
    assert statuses.count(400) == 2


def test_sampler_of_the_sdk_has_its_say(
    serve: Serve, valid: dict[str, object], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OTEL_TRACES_SAMPLER", "always_off")
    client, spans = serve(share_percent=100)
    client.post("/predict", json=valid, headers={"traceparent": SAMPLED})
    client.post("/predict", json={})
    assert spans.get_finished_spans() == ()
    assert total(client.get("/metrics").text, "request_traces_total", result="kept") == 0


@pytest.mark.parametrize(
    ("environ", "trusted"),
    [
        ({}, True),
        ({"HOST": "0.0.0.0", "ALLOW_OPEN": "true"}, False),
        ({"RAILWAY_ENVIRONMENT": "production"}, False),
        ({"HOST": "0.0.0.0", "TRUST_TRACEPARENT": "true"}, True),
        ({"TRUST_TRACEPARENT": "false"}, False),
    ],
)
def test_callers_are_trusted_where_strangers_cannot_reach_the_service(
    environ: dict[str, str], trusted: bool
) -> None:
    assert choose_traces(read_settings(environ)).trust_caller is trusted
