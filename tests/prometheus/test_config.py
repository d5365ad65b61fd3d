"""prometheus.yml: valid, fed by the Collector alone, and pointed at addresses by files."""

from __future__ import annotations

import subprocess
import time
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
import yaml

from model.serving.cohorts import OLDEST_SECONDS
from prometheus.generator.durations import parse_duration
from tests.lab.fixtures import MakeCollector
from tests.lab.paths import ROOT
from tests.lab.polling import until
from tests.lab.prometheus import Prometheus
from tests.lab.sdk_worker import sdk_worker

FOLDER = ROOT / "prometheus"
CONFIG: dict[str, Any] = yaml.safe_load((FOLDER / "prometheus.yml").read_text())


@pytest.mark.stack
def test_configuration_and_rules_pass_promtool(tools: Path) -> None:
    """`promtool check config` reads the rule files too."""
    command = [str(tools / "promtool"), "check", "config", str(FOLDER / "prometheus.yml")]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert ended.returncode == 0, ended.stdout + ended.stderr


def test_the_handler_is_not_scraped() -> None:
    """Its series come by the Collector: scraping it too would count every request twice."""
    jobs = [job["job_name"] for job in CONFIG["scrape_configs"]]
    targets = [
        group["labels"]["job"]
        for folder in ("targets", "targets-compose")
        for file in (FOLDER / folder).glob("*.yml")
        for group in yaml.safe_load(file.read_text())
    ]
    assert jobs == ["stack", "alertmanager"]
    assert sorted(set(targets)) == ["otel-collector", "prometheus"]


def test_samples_are_kept_for_a_comparison_of_two_models() -> None:
    """The longest maturity of labels, and as long again of weeks that have matured."""
    kept = CONFIG["storage"]["tsdb"]["retention"]["time"]
    assert parse_duration(kept) >= 2 * OLDEST_SECONDS


def test_both_ways_to_run_watch_the_same_jobs() -> None:
    """Native and compose differ in addresses only."""
    native, compose = (
        [group["labels"] for group in yaml.safe_load((FOLDER / file).read_text())]
        for file in ("targets/native.yml", "targets-compose/compose.yml")
    )
    assert native == compose


def test_alerts_are_sent_to_the_alertmanager_that_is_watched() -> None:
    """One file of addresses for both."""
    [notified] = CONFIG["alerting"]["alertmanagers"]
    [watched] = (job for job in CONFIG["scrape_configs"] if job["job_name"] == "alertmanager")
    assert notified["file_sd_configs"] == watched["file_sd_configs"]


@pytest.mark.stack
def test_stacks_own_health_is_scraped(
    tools: Path, tmp_path: Path, make_collector: MakeCollector, exit_stack: ExitStack
) -> None:
    """Both jobs are up, and the Collector's own metrics are there under their known names."""
    prometheus = Prometheus(tools, tmp_path / "prometheus")
    running = make_collector(PROMETHEUS_URL=prometheus.url)
    write_targets(
        tmp_path / "prometheus/targets",
        {"prometheus": prometheus.port, "otel-collector": running.metrics_port},
    )
    exit_stack.enter_context(prometheus)
    running.start()
    with sdk_worker(running.endpoint) as worker:
        worker.predict(1)
        assert worker.push()
    sent = 'otelcol_exporter_sent_metric_points_total{exporter="otlp_http/prometheus"} > 0'
    until(lambda: bool(prometheus.query(sent)), 45, "what was sent is known", every=1)
    until(lambda: len(prometheus.query("up == 1")) == 2, 30, "both are scraped", every=1)


def write_targets(folder: Path, ports: dict[str, int]) -> None:
    """The folder of addresses that this Prometheus reads."""
    folder.mkdir()
    groups = [
        {"targets": [f"127.0.0.1:{port}"], "labels": {"job": job}} for job, port in ports.items()
    ]
    (folder / "tests.yml").write_text(yaml.safe_dump(groups))


@pytest.mark.stack
def test_samples_as_old_as_a_long_outage_are_taken(prometheus: Prometheus) -> None:
    """What waited 20 hours in the Collector's queue is stored, beside newer samples."""
    import requests
    from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
        ExportMetricsServiceRequest,
    )

    def push(age_seconds: float, value: int) -> int:
        request = ExportMetricsServiceRequest()
        resource_metrics = request.resource_metrics.add()
        attribute = resource_metrics.resource.attributes.add(key="service.name")
        attribute.value.string_value = "fraud-handler"
        metric = resource_metrics.scope_metrics.add().metrics.add(name="queue.size")
        when = int((time.time() - age_seconds) * 1e9)
        metric.gauge.data_points.add(time_unix_nano=when, as_int=value)
        answer = requests.post(
            f"{prometheus.url}/api/v1/otlp/v1/metrics",
            data=request.SerializeToString(),
            headers={"Content-Type": "application/x-protobuf"},
            timeout=30,
        )
        return answer.status_code

    assert push(0, 1) == 200
    assert push(20 * 3600, 2) == 200
    values = prometheus.samples("queue_size", seconds=24 * 3600)
    assert [value for _, value in next(iter(values.values()))] == [2, 1]
