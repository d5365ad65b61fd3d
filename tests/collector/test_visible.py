"""What an operator sees when something is wrong with the Collector, and what nobody may see."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.lab.collector import Collector
from tests.lab.faulty_proxy import faulty_proxy
from tests.lab.fixtures import MakeCollector
from tests.lab.grafana_cloud import TOKEN, both_settings, cloud_settings
from tests.lab.polling import until
from tests.lab.prometheus import Prometheus
from tests.lab.sdk_worker import SdkWorker, sdk_worker

pytestmark = pytest.mark.stack

WRONG = "glc_expired-token"


@pytest.mark.parametrize("metrics", ["remote-write", "otlp"])
def test_wrong_token_is_named_and_nothing_is_lost_by_it(
    make_collector: MakeCollector, prometheus: Prometheus, cloud: Prometheus, metrics: str
) -> None:
    """One sentence names the variables; local storage goes on; the right token brings all of it."""
    running = make_collector(
        **both_settings(prometheus.url, cloud.url, metrics, token=WRONG)
    ).start()
    with sdk_worker(running.endpoint) as worker:
        worker.predict(5)
        assert worker.push()
        until(lambda: prometheus.number("sum(predictions_total)") == 5, 30, "stored locally")
        until(lambda: bool(credential_errors(running)), 30, "the refusal is logged")
        variable = "GRAFANA_CLOUD_OTLP_ID" if metrics == "otlp" else "GRAFANA_CLOUD_PROM_ID"
        assert credential_errors(running)[0] == (
            f"The target refuses the credentials: check GRAFANA_CLOUD_TOKEN and {variable}. "
            "What it did not take is kept in the queue and sent again."
        )
        assert cloud.series() == set()
        running.terminate()
        running.env["GRAFANA_CLOUD_TOKEN"] = TOKEN
        running.start()
        until(lambda: cloud.number("sum(predictions_total)") == 5, 15, "stored in the cloud")
    assert WRONG not in running.output()
    assert TOKEN not in running.output()


def credential_errors(running: Collector) -> list[str]:
    """The logged sentences about credentials."""
    return [line["msg"] for line in running.logged_errors() if "credentials" in line["msg"]]


def test_token_with_dollar_signs_arrives_as_it_is(
    make_collector: MakeCollector, cloud: Prometheus
) -> None:
    """The configuration language would take `$$` for `$`: a token is not expanded."""
    settings = cloud_settings(cloud.url, "remote-write", token="a$$b${env:HOME}")
    running = make_collector(OTEL_COLLECTOR_ROUTE="grafana-cloud", **settings)
    printed = running.run(
        "print-config", "--feature-gates=otelcol.printInitialConfig", "--mode=unredacted"
    )
    assert "a$$b${env:HOME}" in printed.stdout


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 4 MiB."""
    if os.geteuid() != 0:
        pytest.skip("only root can mount a small file system")
    folder = tmp_path / "small"
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", str(folder)]
    if subprocess.run(command, capture_output=True, check=False).returncode != 0:
        pytest.skip("this machine does not let root mount a file system")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


@pytest.fixture
def disk_of_queue(small_disk: Path, exit_stack: ExitStack) -> Iterator[Path]:
    """The small disk; whatever uses it has ended before it is unmounted."""
    yield small_disk
    exit_stack.close()


def test_full_disk_is_logged_and_recovers(
    make_collector: MakeCollector, prometheus: Prometheus, disk_of_queue: Path
) -> None:
    """Senders are refused, the log names the cause; what was taken is delivered: room is made."""
    with faulty_proxy(prometheus.url) as target:
        target.refuse()
        running = make_collector(
            PROMETHEUS_URL=target.url, COLLECTOR_QUEUE_DIR=str(disk_of_queue / "queue")
        ).start()
        fill(disk_of_queue / "filler", but=256 * 1024)
        with sdk_worker(running.endpoint) as worker:
            taken = push_until_refused(worker)
            assert 0 < taken < 40
            assert "no space left on device" in running.output()
            target.accept()
            until(lambda: prometheus.number("sum(predictions_total)") == taken, 15, "delivered")
            worker.predict(1)
            assert worker.push()
            everything = taken + 2
            until(lambda: prometheus.number("sum(predictions_total)") == everything, 15, "goes on")


def push_until_refused(worker: SdkWorker) -> int:
    """Pushes one more prediction each, with much beside it; gives how many were taken."""
    for each in range(200):
        worker.value.record(1.0, {"value_band": f"band-{each}"})
    for taken in range(40):
        worker.predict(1)
        if not worker.push():
            return taken
    return 40


def test_collector_starts_on_a_full_disk(
    make_collector: MakeCollector, prometheus: Prometheus, disk_of_queue: Path
) -> None:
    """A restart with a full queue on a full disk delivers it, instead of not starting at all."""
    running = make_collector(
        PROMETHEUS_URL="http://127.0.0.1:1", COLLECTOR_QUEUE_DIR=str(disk_of_queue / "queue")
    ).start()
    with sdk_worker(running.endpoint) as worker:
        worker.predict(5)
        assert worker.push()
        running.kill()
        fill(disk_of_queue / "filler")
        running.env["PROMETHEUS_URL"] = prometheus.url
        running.start()
        until(lambda: prometheus.number("sum(predictions_total)") == 5, 15, "delivered")


def fill(filler: Path, but: int = 0) -> None:
    """Writes until nothing more fits, then gives some bytes back."""
    with filler.open("wb", buffering=0) as file:
        try:
            while True:
                file.write(b"x" * 4096)
        except OSError:
            os.truncate(filler, filler.stat().st_size - but)


def test_full_queue_refuses_senders(make_collector: MakeCollector, tmp_path: Path) -> None:
    """Beyond COLLECTOR_QUEUE_MIB data is refused, and the disk that the queue takes is bounded."""
    running = make_collector(PROMETHEUS_URL="http://127.0.0.1:1", COLLECTOR_QUEUE_MIB="1").start()
    with sdk_worker(running.endpoint) as worker:
        for each in range(3000):
            worker.value.record(1.0, {"value_band": f"band-{each}"})
        assert worker.push()
        assert not all(worker.push() for _ in range(4))
    assert "queue is full" in running.output()
    size = sum(file.stat().st_size for file in running.queue.rglob("*") if file.is_file())
    assert size < 8 * 2**20


def test_internal_metrics_show_queue_and_losses(make_collector: MakeCollector) -> None:
    """What dashboards and alerts need: queue size and capacity, and what was sent or failed."""
    running = make_collector(PROMETHEUS_URL="http://127.0.0.1:1").start()
    with sdk_worker(running.endpoint) as worker:
        worker.predict(1)
        assert worker.push()

        def waiting() -> bool:
            sizes = running.internal_metric("otelcol_exporter_queue_size")
            return any(size > 0 for size in sizes.values())

        until(waiting, 30, "the queue is seen to hold something")
    assert running.internal_metric("otelcol_exporter_queue_capacity")
    accepted = running.internal_metric("otelcol_receiver_accepted_metric_points_total")
    assert sum(accepted.values()) > 0
    assert running.internal_metric("otelcol_process_memory_rss_bytes")
