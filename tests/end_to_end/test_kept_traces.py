"""Handler and Collector keep the same traces, and every exemplar leads to one of them."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial

import pytest
import requests

from telemetry.logs import GATHER_SECONDS
from tests.lab.fixtures import MakeCollector, StartHandler
from tests.lab.handler import Handler
from tests.lab.polling import until
from tests.lab.prometheus import Prometheus
from tests.lab.span_sink import SpanSink, span_sink
from tests.lab.traffic import TRANSACTION, Responses, make_requests, send

pytestmark = pytest.mark.stack

SHARE = 20
FRAUD = TRANSACTION | {"amount": 9_000.0, "location_risk": 0.99, "transaction_frequency": 60}
CALLER = "00-0af7651916cd43dd8448eb211c80ffff-b7ad6b7169203331-01"
HISTOGRAMS = (
    "prediction_latency_seconds",
    "fraud_detection_score",
    "http_request_duration_seconds",
)


@pytest.fixture
def sink() -> Iterator[SpanSink]:
    """In the place of Tempo."""
    with span_sink() as sink:
        yield sink


@dataclass(frozen=True)
class Stack:
    """What is asked after the traffic."""

    handler: Handler
    prometheus: Prometheus
    sink: SpanSink


@pytest.fixture
def stack(
    make_collector: MakeCollector, start_handler: StartHandler, prometheus: Prometheus,
    sink: SpanSink,
) -> Stack:  # fmt: skip
    """One setting for both: it is written once and read by handler and Collector."""
    words = {"TRACES_SHARE_PERCENT": str(SHARE), "TRACES_SLOW_MS": "60000"}
    collector = make_collector(
        PROMETHEUS_URL=prometheus.url, TEMPO_URL=sink.url, TRACES_DECISION_WAIT="1s", **words
    ).start()
    handler = start_handler(
        OTEL_BSP_SCHEDULE_DELAY="200",
        TRACES_PER_SECOND="10000",
        **words,
        **collector.exporter_settings(),
    )
    return Stack(handler, prometheus, sink)


def read_log(handler: Handler) -> list[dict[str, object]]:
    # The newest lines wait for each other.
    time.sleep(50 * GATHER_SECONDS)
    lines = [json.loads(line) for line in handler.output().splitlines() if line.startswith("{")]
    return [line for line in lines if line["message"] == "request answered"]


def is_ordinary(line: dict[str, object], frauds: set[str]) -> bool:
    return line["status"] in (200, 404) and line["request_id"] not in frauds


def test_what_is_kept_arrives_and_every_exemplar_leads_there(stack: Stack) -> None:
    """Each refusal, fraud and sampled caller; of the ordinary requests those that their ids name;
    nothing else leaves the handler."""
    url = f"{stack.handler.url}/predict"
    send(stack.handler.port, make_requests(0, 30, seed=3), Responses(), threads=4)
    answers = [
        requests.post(url, json=row, timeout=10).json() for row in [TRANSACTION] * 200 + [FRAUD] * 5
    ]
    frauds = {one["request_id"] for one in answers if one["prediction"] == "fraud"}
    assert len(frauds) == 5
    requests.post(url, json=TRANSACTION, headers={"traceparent": CALLER}, timeout=10)
    requests.get(f"{stack.handler.url}/nowhere", timeout=10)
    called = CALLER.split("-")[1]
    log = read_log(stack.handler)
    wanted = {
        str(line["trace_id"])
        for line in log
        if not is_ordinary(line, frauds)
        or int(str(line["trace_id"]), 16) % 65536 < 65536 * SHARE // 100
        or line["trace_id"] == called
    }
    until(lambda: stack.sink.traces() >= wanted, 20, "all kept traces have arrived")
    stack.sink.wait_for_quiet(quiet_seconds=2, at_most=10)
    assert stack.sink.traces() == wanted
    assert 50 < len(wanted) < 120
    for name in HISTOGRAMS:
        until(partial(tells, stack.prometheus, name), 15, f"exemplars of {name}")
        assert find_told(stack.prometheus, name) <= wanted


def tells(prometheus: Prometheus, name: str) -> bool:
    return bool(find_told(prometheus, name))


def find_told(prometheus: Prometheus, name: str) -> set[str]:
    """The traces that the histogram's exemplars lead to."""
    return {one["labels"]["trace_id"] for one in prometheus.exemplars(f"{name}_bucket")}
