"""From a request to an answer of Prometheus, and what holds while a part of the way is missing."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from functools import partial
from pathlib import Path

import pytest
import requests

from tests.lab.collector import Collector
from tests.lab.fixtures import StartHandler
from tests.lab.handler import Handler
from tests.lab.paths import ROOT
from tests.lab.polling import until
from tests.lab.prometheus import Prometheus
from tests.lab.traffic import TRANSACTION, Responses, make_requests, send

pytestmark = pytest.mark.stack


def count_requests(prometheus: Prometheus) -> float | None:
    return prometheus.number('sum(http_requests_total{endpoint="/predict"})')


def test_metrics_pass_promtool(start_handler: StartHandler, tools: Path) -> None:
    """`promtool check metrics` finds nothing to say about the types and names of `/metrics`."""
    service = start_handler()
    send(service.port, make_requests(20, 5, seed=2), Responses(), threads=2)
    checked = subprocess.run(
        [tools / "promtool", "check", "metrics"],
        input=service.exposition(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert (checked.returncode, checked.stderr.strip(), checked.stdout.strip()) == (0, "", "")


def test_nothing_is_lost_while_the_collector_is_away(
    service: Handler, collector: Collector, prometheus: Prometheus
) -> None:
    """Traffic goes on while the Collector is stopped and started: no request fails, and the
    totals are right again two export intervals after it is back."""
    responses = Responses()
    send(service.port, make_requests(100, 2, seed=1), responses, threads=4)
    until(lambda: count_requests(prometheus) == 102, 15, "the first requests are stored")
    collector.terminate()
    for seed in range(8):
        send(service.port, make_requests(49, 1, seed=seed), responses, threads=4)
        time.sleep(1)
    assert count_requests(prometheus) == 102
    collector.start()
    until(lambda: count_requests(prometheus) == 502, 30, "the totals are right again")
    assert responses.statuses == {200: 492, 400: 10}
    assert prometheus.number("sum(predictions_total)") == 492
    assert prometheus.number("sum(errors_total)") == 10
    log = service.output()
    assert "metrics cannot be delivered" in log
    assert "metrics are delivered again" in log


def test_exemplar_in_prometheus_has_the_trace_that_the_log_names(
    service: Handler, prometheus: Prometheus
) -> None:
    """Of a request that is kept: its caller has sampled it."""
    headers = {"traceparent": "00-0af7651916cd43dd8448eb211c80ffff-b7ad6b7169203331-01"}
    answer = requests.post(f"{service.url}/predict", json=TRANSACTION, headers=headers, timeout=10)
    request_id = answer.json()["request_id"]
    until(lambda: request_id in service.output(), 30, "the request's line is written")
    lines = [json.loads(line) for line in service.output().splitlines() if line.startswith("{")]
    [line] = [line for line in lines if line.get("request_id") == request_id]

    def has_exemplar(metric: str) -> bool:
        found = prometheus.exemplars(f"{metric}_bucket")
        return line["trace_id"] in {exemplar["labels"]["trace_id"] for exemplar in found}

    for metric in ("prediction_latency_seconds", "fraud_detection_score"):
        until(partial(has_exemplar, metric), 15, f"exemplar of {metric}")


def test_silence_sends_nothing_and_the_next_request_is_seen_by_increase(
    start_handler: StartHandler, collector: Collector, prometheus: Prometheus
) -> None:
    """While nothing happens no sample arrives; then one request is one increase."""
    service = start_handler(WEB_CONCURRENCY="1", **collector.exporter_settings())
    send(service.port, make_requests(5, 0, seed=1), Responses())
    until(lambda: count_requests(prometheus) == 5, 15, "the first requests are stored")
    # The throughput falls to 0 within its ten seconds: that is the last news.
    time.sleep(14)
    received = collector.internal_metric("otelcol_receiver_accepted_metric_points_total")
    time.sleep(6)
    later = collector.internal_metric("otelcol_receiver_accepted_metric_points_total")
    assert received and received == later
    send(service.port, make_requests(1, 0, seed=1), Responses())
    seen = 'round(sum(increase(http_requests_total{endpoint="/predict",status="200"}[5s])))'
    until(lambda: (prometheus.number(seen) or 0) >= 1, 30, "increase() sees the request", every=0.3)


@pytest.mark.parametrize("target", ["alive", "refusing", "black hole"])
def test_sigterm_under_load_ends_within_the_grace_and_loses_no_count(
    start_handler: StartHandler,
    collector: Collector,
    prometheus: Prometheus,
    target: str,
    black_hole: str,
) -> None:
    """Whatever the Collector does: open requests are answered, the process ends within
    SHUTDOWN_SECONDS, and what was counted is delivered, now or by the next start."""
    endpoint = {
        "alive": collector.endpoint,
        "refusing": "http://127.0.0.1:1",
        "black hole": black_hole,
    }[target]
    service = start_handler(
        WEB_CONCURRENCY="2",
        SHUTDOWN_SECONDS="8",
        OTEL_EXPORTER_OTLP_ENDPOINT=endpoint,
        OTEL_METRIC_EXPORT_INTERVAL="60000",
    )
    responses = Responses()
    send(service.port, make_requests(200, 0, seed=5), responses, threads=4)
    seconds = service.terminate(grace=20)
    assert responses.statuses == {200: 200}
    assert seconds < 8 + 2
    if target != "alive":
        service.env["OTEL_EXPORTER_OTLP_ENDPOINT"] = collector.endpoint
        service.start()
    until(lambda: count_requests(prometheus) == 200, 15, "every count is stored")


def test_serving_imports_no_scikit_learn(model_dir: Path) -> None:
    """What the handler imports and loads needs neither scikit-learn nor joblib."""
    code = f"""
import sys; from pathlib import Path
import handler; from model.serving.scorer import load_scorer
load_scorer(Path({str(model_dir)!r}))
print([name for name in ("sklearn", "joblib", "skl2onnx", "pandas") if name in sys.modules])
"""
    imported = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert imported.stdout.strip() == "[]"


# Two workers that end at the same moment make gunicorn's own halt fail, with 1 instead of 3.
@pytest.mark.parametrize(("workers", "codes"), [("1", {3}), ("2", {1, 3})])
def test_missing_model_stops_the_start_with_a_sentence(
    tmp_path: Path, workers: str, codes: set[int]
) -> None:
    """gunicorn ends with an error instead of starting the worker for ever."""
    service = Handler(tmp_path / "h", tmp_path / "nowhere", WEB_CONCURRENCY=workers)
    service.launch()
    assert service.process is not None
    assert service.process.wait(30) in codes
    assert "The handler cannot start: no model is published" in service.output()
    service.process = None
