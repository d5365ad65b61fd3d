"""From a request to an answer of Prometheus, and what holds while a part of the way is missing."""

from __future__ import annotations

import json
import subprocess
import sys
import time

import pytest
import requests

from tests.lab.programs import ROOT, until
from tests.lab.service import TRANSACTION, Account, Handler, requests_of, send_from_threads

pytestmark = pytest.mark.stack


@pytest.fixture
def service(handler, collector):
    """Two workers that export each second."""
    return handler(
        WEB_CONCURRENCY="2",
        OTEL_EXPORTER_OTLP_ENDPOINT=collector.endpoint,
        OTEL_METRIC_EXPORT_INTERVAL="1000",
    )


def requests_counted(prometheus) -> float | None:
    return prometheus.number('sum(http_requests_total{endpoint="/predict"})')


def test_metrics_pass_promtool(handler, tools):
    """`promtool check metrics` finds nothing to say about the types and names of `/metrics`."""
    service = handler()
    send_from_threads(service.port, requests_of(20, 5, seed=2), 2, Account())
    checked = subprocess.run(
        [tools / "promtool", "check", "metrics"],
        input=service.exposition(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert (checked.returncode, checked.stderr.strip(), checked.stdout.strip()) == (0, "", "")


def test_nothing_is_lost_while_the_collector_is_away(service, collector, prometheus):
    """Traffic goes on while the Collector is stopped and started: no request fails, and the
    totals are right again two export intervals after it is back."""
    account = Account()
    send_from_threads(service.port, requests_of(100, 2, seed=1), 4, account)
    until(lambda: requests_counted(prometheus) == 102, 15, "the first requests are stored")
    collector.terminate()
    for seed in range(8):
        send_from_threads(service.port, requests_of(49, 1, seed=seed), 4, account)
        time.sleep(1)
    assert requests_counted(prometheus) == 102
    collector.start()
    until(lambda: requests_counted(prometheus) == 502, 30, "the totals are right again")
    assert account.answered == {200: 492, 400: 10}
    assert prometheus.number("sum(predictions_total)") == 492
    assert prometheus.number("sum(errors_total)") == 10
    log = service.said()
    assert "metrics cannot be delivered" in log
    assert "metrics are delivered again" in log


def test_exemplar_in_prometheus_has_the_trace_that_the_log_names(service, prometheus):
    answer = requests.post(f"{service.url}/predict", json=TRANSACTION, timeout=10)
    lines = [json.loads(line) for line in service.said().splitlines() if line.startswith("{")]
    [line] = [line for line in lines if line.get("request_id") == answer.json()["request_id"]]

    def traces(metric: str) -> set[str]:
        found = prometheus.exemplars(f"{metric}_bucket")
        return {exemplar["labels"]["trace_id"] for exemplar in found}

    for metric in ("prediction_latency_seconds", "fraud_detection_score"):
        until(lambda m=metric: line["trace_id"] in traces(m), 15, f"exemplar of {metric}")


def test_silence_sends_nothing_and_the_next_request_is_seen_by_increase(
    handler, collector, prometheus
):
    """While nothing happens no sample arrives; then one request is one increase."""
    service = handler(
        WEB_CONCURRENCY="1",
        OTEL_EXPORTER_OTLP_ENDPOINT=collector.endpoint,
        OTEL_METRIC_EXPORT_INTERVAL="1000",
    )
    send_from_threads(service.port, requests_of(5, 0, seed=1), 1, Account())
    until(lambda: requests_counted(prometheus) == 5, 15, "the first requests are stored")
    # The throughput falls to 0 within its ten seconds: that is the last news.
    time.sleep(14)
    received = collector.own("otelcol_receiver_accepted_metric_points_total")
    time.sleep(6)
    later = collector.own("otelcol_receiver_accepted_metric_points_total")
    assert received and received == later
    send_from_threads(service.port, requests_of(1, 0, seed=1), 1, Account())
    seen = 'round(sum(increase(http_requests_total{endpoint="/predict",status="200"}[5s])))'
    until(lambda: (prometheus.number(seen) or 0) >= 1, 6, "increase() sees the request", every=0.3)


@pytest.mark.parametrize("target", ["alive", "refusing", "black hole"])
def test_sigterm_under_load_ends_within_the_grace_and_loses_no_count(
    handler, collector, prometheus, target, black_hole
):
    """Whatever the Collector does: open requests are answered, the process ends within
    SHUTDOWN_SECONDS, and what was counted is delivered, now or by the next start."""
    endpoint = {
        "alive": collector.endpoint,
        "refusing": "http://127.0.0.1:1",
        "black hole": black_hole,
    }[target]
    service = handler(
        WEB_CONCURRENCY="2",
        SHUTDOWN_SECONDS="8",
        OTEL_EXPORTER_OTLP_ENDPOINT=endpoint,
        OTEL_METRIC_EXPORT_INTERVAL="60000",
    )
    account = Account()
    send_from_threads(service.port, requests_of(200, 0, seed=5), 4, account)
    seconds = service.terminate(grace=20)
    assert account.answered == {200: 200}
    assert seconds < 8 + 2
    if target != "alive":
        service.env["OTEL_EXPORTER_OTLP_ENDPOINT"] = collector.endpoint
        service.start()
    until(lambda: requests_counted(prometheus) == 200, 15, "every count is stored")


def test_serving_knows_nothing_of_scikit_learn(model_dir):
    """What the handler imports and loads needs neither scikit-learn nor joblib."""
    code = f"""
import sys; from pathlib import Path
import handler; from model.serving.scorer import load_scorer
load_scorer(Path({str(model_dir)!r}))
print([name for name in ("sklearn", "joblib", "skl2onnx", "pandas") if name in sys.modules])
"""
    told = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert told.stdout.strip() == "[]"


# Two workers that end at the same moment make gunicorn's own halt fail, with 1 instead of 3.
@pytest.mark.parametrize(("workers", "codes"), [("1", {3}), ("2", {1, 3})])
def test_missing_model_stops_the_start_with_a_sentence(tmp_path, workers, codes):
    """gunicorn ends with an error instead of starting the worker for ever."""
    service = Handler(tmp_path / "h", tmp_path / "nowhere", WEB_CONCURRENCY=workers)
    service.launch()
    assert service.process is not None
    assert service.process.wait(30) in codes
    assert "The handler cannot start: no model is published" in service.said()
    service.process = None
