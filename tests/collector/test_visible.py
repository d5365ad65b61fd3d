"""What the one who runs the Collector sees when something is wrong, and what nobody may see."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.lab.programs import TOKEN, Collector, Program, Prometheus, cloud_settings, until
from tests.lab.source import Source, source
from tests.lab.targets import faulty_target

pytestmark = pytest.mark.stack

Make = Callable[..., Collector]
WRONG = "glc_expired-token"


@pytest.mark.parametrize("metrics", ["remote-write", "otlp"])
def test_wrong_token_is_named_and_nothing_is_lost_by_it(
    collector: Make, prometheus: Prometheus, cloud: Prometheus, metrics: str
) -> None:
    """One sentence names the variables; local storage goes on; the right token brings all of it."""
    running = collector(
        OTEL_COLLECTOR_ROUTE="both",
        PROMETHEUS_URL=prometheus.url,
        **cloud_settings(cloud.url, metrics, token=WRONG),
    ).start()
    with source(running.endpoint) as worker:
        worker.predict(5)
        assert worker.push()
        until(lambda: prometheus.number("sum(predictions_total)") == 5, 10, "stored locally")
        until(lambda: bool(refusals(running)), 10, "the refusal is said")
        variable = "GRAFANA_CLOUD_OTLP_ID" if metrics == "otlp" else "GRAFANA_CLOUD_PROM_ID"
        assert refusals(running)[0] == (
            f"The target refuses the credentials: check GRAFANA_CLOUD_TOKEN and {variable}. "
            "What it did not take is kept in the queue and sent again."
        )
        assert cloud.series() == set()
        running.terminate()
        running.env["GRAFANA_CLOUD_TOKEN"] = TOKEN
        running.start()
        until(lambda: cloud.number("sum(predictions_total)") == 5, 15, "stored in the cloud")
    assert WRONG not in running.said()
    assert TOKEN not in running.said()


def refusals(running: Collector) -> list[str]:
    """What was said about credentials."""
    return [line["msg"] for line in running.errors() if "credentials" in line["msg"]]


def test_token_with_dollar_signs_arrives_as_it_is(collector: Make, cloud: Prometheus) -> None:
    """The configuration language would take `$$` for `$`: here the wrong token is told from it."""
    settings = cloud_settings(cloud.url, "remote-write", token="a$$b${env:HOME}")
    running = collector(OTEL_COLLECTOR_ROUTE="grafana-cloud", **settings)
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
def disk_of_queue(small_disk: Path, started: list[Program]) -> Iterator[Path]:
    """The small disk; whatever uses it has ended before it goes."""
    yield small_disk
    for program in started:
        program.kill()


def test_full_disk_is_said_and_recovers(
    collector: Make, prometheus: Prometheus, disk_of_queue: Path
) -> None:
    """Senders are told, the log names the cause; what was taken is delivered, and room is made."""
    with faulty_target(prometheus.url) as target:
        target.refuse()
        running = collector(
            PROMETHEUS_URL=target.url, COLLECTOR_QUEUE_DIR=str(disk_of_queue / "queue")
        ).start()
        fill(disk_of_queue / "filler", but=256 * 1024)
        with source(running.endpoint) as worker:
            taken = push_until_refused(worker)
            assert 0 < taken < 40
            assert "no space left on device" in running.said()
            target.accept()
            until(lambda: prometheus.number("sum(predictions_total)") == taken, 15, "delivered")
            worker.predict(1)
            assert worker.push()
            everything = taken + 2
            until(lambda: prometheus.number("sum(predictions_total)") == everything, 15, "goes on")


def push_until_refused(worker: Source) -> int:
    """Pushes one more prediction each, with much beside it; gives how many were taken."""
    for each in range(200):
        worker.value.record(1.0, {"value_band": f"band-{each}"})
    for taken in range(40):
        worker.predict(1)
        if not worker.push():
            return taken
    return 40


def test_collector_starts_on_a_full_disk(
    collector: Make, prometheus: Prometheus, disk_of_queue: Path
) -> None:
    """A restart with a full queue on a full disk delivers it, instead of not starting at all."""
    running = collector(
        PROMETHEUS_URL="http://127.0.0.1:1", COLLECTOR_QUEUE_DIR=str(disk_of_queue / "queue")
    ).start()
    with source(running.endpoint) as worker:
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


def test_queue_that_is_full_tells_senders(collector: Make, tmp_path: Path) -> None:
    """Beyond COLLECTOR_QUEUE_MIB data is refused, and the disk that the queue takes is bounded."""
    running = collector(PROMETHEUS_URL="http://127.0.0.1:1", COLLECTOR_QUEUE_MIB="1").start()
    with source(running.endpoint) as worker:
        for each in range(3000):
            worker.value.record(1.0, {"value_band": f"band-{each}"})
        assert worker.push()
        assert not all(worker.push() for _ in range(4))
    assert "queue is full" in running.said()
    size = sum(file.stat().st_size for file in running.queue.rglob("*") if file.is_file())
    assert size < 8 * 2**20


def test_own_telemetry_names_queue_and_losses(collector: Make) -> None:
    """What dashboards and alerts need: queue size and capacity, and what was sent or failed."""
    running = collector(PROMETHEUS_URL="http://127.0.0.1:1").start()
    with source(running.endpoint) as worker:
        worker.predict(1)
        assert worker.push()

        def waiting() -> bool:
            return any(value > 0 for value in running.own("otelcol_exporter_queue_size").values())

        until(waiting, 10, "the queue is seen to hold something")
    assert running.own("otelcol_exporter_queue_capacity")
    assert sum(running.own("otelcol_receiver_accepted_metric_points_total").values()) > 0
    assert running.own("otelcol_process_memory_rss_bytes")
