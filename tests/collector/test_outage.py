"""Nothing that the Collector took is lost, whatever happens to the target or to the Collector.

Times are compressed: intervals of half a second stand for fifteen, an outage of twenty seconds
for ten minutes; the Collector's longest retry interval is 2 s instead of 30.
"""

from __future__ import annotations

import time
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.lab.collector import Collector
from tests.lab.faulty_proxy import FaultyProxy, faulty_proxy
from tests.lab.fixtures import MakeCollector
from tests.lab.grafana_cloud import both_settings, cloud_settings
from tests.lab.polling import until
from tests.lab.prometheus import Prometheus
from tests.lab.sdk_worker import SdkWorker, sdk_worker
from tests.lab.write_store import write_settings

pytestmark = pytest.mark.stack


INTERVAL = 0.5
COUNTED = 'predictions_total{class_name="legitimate"}'
MEMORY_MIB = 256


@dataclass
class Traffic:
    """Pushes one more prediction than before each interval; remembers what the Collector took."""

    worker: SdkWorker
    pushed: int = 0
    total: int = 0
    taken: list[int] = field(default_factory=list)

    def push_for(self, seconds: float) -> None:
        """Pushes every interval for so long."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            began = time.monotonic()
            self.push()
            time.sleep(max(0.0, INTERVAL - (time.monotonic() - began)))

    def push(self) -> None:
        """Counts and pushes once."""
        self.pushed += 1
        self.total += self.pushed
        self.worker.predict(self.pushed)
        if self.worker.push():
            self.taken.append(self.total)


def stored_values(target: Prometheus) -> list[int]:
    """Every value of the counter that the target has, in the order of its times."""
    series = target.samples(COUNTED)
    assert len(series) <= 1
    return [int(value) for values in series.values() for _, value in values]


def wait_for_all(target: Prometheus, traffic: Traffic, seconds: float) -> None:
    """The total and every interval's increment are in the target; waits so long for them."""

    def arrived() -> bool:
        return stored_values(target)[-1:] == [traffic.total]

    until(arrived, seconds, "the last value is stored")
    assert stored_values(target) == traffic.taken


def run_outage(traffic: Traffic, target: FaultyProxy, collector: Collector) -> float:
    """The outage: refused, never answered, gone; the Collector killed in the middle of it.

    Gives the memory that the Collector holds at its end, in MiB.
    """
    traffic.push_for(2)
    target.refuse()
    traffic.push_for(3)
    target.mode = "hang"
    target.accept()
    traffic.push_for(10)  # longer than the Collector waits for an answer
    target.refuse()
    traffic.push_for(2)
    collector.kill()
    traffic.push()  # nobody takes this one: the next push carries it
    collector.start()
    traffic.push_for(3)
    resident = collector.resident_mib()
    target.mode = "pass"
    target.accept()
    traffic.push_for(1)
    return resident


@dataclass(frozen=True)
class Outage:
    """One route in an outage of its cloud; of the one store where it has no cloud."""

    tools: Path
    folder: Path
    route: str
    metrics: str

    def run(self) -> float:
        """Raises AssertionError where something was lost; gives the memory held, in MiB."""
        with ExitStack() as programs:
            cloud = programs.enter_context(
                Prometheus(self.tools, self.folder / "cloud", cloud=True)
            )
            local = programs.enter_context(Prometheus(self.tools, self.folder / "local"))
            dead = local if self.route in ("local", "remote-write") else cloud
            target = programs.enter_context(faulty_proxy(dead.url))
            collector = programs.enter_context(self._collector(target.url, local.url))
            worker = programs.enter_context(sdk_worker(collector.endpoint))
            traffic = Traffic(worker)
            resident = run_outage(traffic, target, collector)
            if self.route == "both":
                wait_for_all(local, traffic, 5)
            wait_for_all(dead, traffic, 30)
        assert target.seen["hang"] > 0
        assert len(traffic.taken) < traffic.pushed
        return resident

    def _collector(self, target: str, local: str) -> Collector:
        return Collector(
            self.tools,
            self.folder / "collector",
            PROMETHEUS_URL=target if self.route == "local" else local,
            **write_settings(target)
            | cloud_settings(target, self.metrics)
            | {"OTEL_COLLECTOR_ROUTE": self.route},
        )


OUTAGES = {
    "local": ("local", "otlp"),
    "grafana-cloud by remote-write": ("grafana-cloud", "remote-write"),
    "both by remote-write": ("both", "remote-write"),
    "both by otlp": ("both", "otlp"),
    "remote-write": ("remote-write", "remote-write"),
}


@pytest.fixture(scope="module")
def outages(tools: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Future[float]]:
    """All of them at once, since they mostly wait."""
    with ThreadPoolExecutor(len(OUTAGES)) as pool:
        return {
            name: pool.submit(Outage(tools, tmp_path_factory.mktemp("outage"), *chosen).run)
            for name, chosen in OUTAGES.items()
        }


@pytest.mark.parametrize("name", OUTAGES)
def test_outage_loses_nothing(outages: dict[str, Future[float]], name: str) -> None:
    """The dead target ends up with every increment, a live one never waited, memory is bounded."""
    assert outages[name].result() < MEMORY_MIB


@pytest.mark.parametrize("metrics", ["remote-write", "otlp"])
def test_dead_target_does_not_hold_up_the_live_one(
    make_collector: MakeCollector, prometheus: Prometheus, metrics: str
) -> None:
    """With a cloud that never answers, every push is in the local Prometheus within 3 s."""
    with faulty_proxy("http://127.0.0.1:1") as target:
        target.mode = "hang"
        running = make_collector(**both_settings(prometheus.url, target.url, metrics)).start()
        with sdk_worker(running.endpoint) as worker:
            traffic = Traffic(worker)
            for _ in range(5):
                traffic.push()
                wait_for_all(prometheus, traffic, 3)
        target.refuse()


@pytest.mark.parametrize("metrics", ["remote-write", "otlp"])
@pytest.mark.parametrize("status", ["429", "500", "503", "401"])
def test_answer_that_may_change_is_retried(
    make_collector: MakeCollector, cloud: Prometheus, metrics: str, status: str
) -> None:
    """Rate limits, overload, a store without its quorum (500) and refused credentials delay what
    was counted, they do not drop it."""
    with faulty_proxy(cloud.url) as target:
        target.mode = status
        settings = cloud_settings(target.url, metrics) | {"COLLECTOR_RETRY_MAX_INTERVAL": "1s"}
        running = make_collector(OTEL_COLLECTOR_ROUTE="grafana-cloud", **settings).start()
        with sdk_worker(running.endpoint) as worker:
            traffic = Traffic(worker)
            traffic.push_for(1)
            until(lambda: target.seen[status] >= 2, 30, "the target was tried again")
            target.mode = "pass"
            wait_for_all(cloud, traffic, 15)


@pytest.mark.parametrize("metrics", ["remote-write", "otlp"])
def test_batch_that_is_refused_for_good_does_not_block_the_next(
    make_collector: MakeCollector, cloud: Prometheus, metrics: str
) -> None:
    """400 means that the data itself is unwanted: it is dropped and logged, the queue moves on."""
    with faulty_proxy(cloud.url) as target:
        target.mode = "400"
        settings = cloud_settings(target.url, metrics)
        running = make_collector(OTEL_COLLECTOR_ROUTE="grafana-cloud", **settings).start()
        with sdk_worker(running.endpoint) as worker:
            traffic = Traffic(worker)
            traffic.push()
            until(lambda: bool(running.logged_errors()), 30, "the loss is logged")
            target.mode = "pass"
            traffic.push()
            until(lambda: stored_values(cloud) == traffic.taken[1:], 30, "the next batch is stored")


def test_internal_error_without_end_does_not_block_the_next(
    make_collector: MakeCollector, prometheus: Prometheus
) -> None:
    """What an OTLP target answers with 500 for longer than COLLECTOR_ERROR_GIVE_UP is dropped."""
    with faulty_proxy(prometheus.url) as target:
        target.mode = "500"
        running = make_collector(
            PROMETHEUS_URL=target.url,
            COLLECTOR_ERROR_GIVE_UP="4s",
            COLLECTOR_RETRY_MAX_INTERVAL="1s",
        ).start()
        with sdk_worker(running.endpoint) as worker:
            traffic = Traffic(worker)
            traffic.push()
            until(lambda: "it is dropped" in running.output(), 15, "the loss is logged")
            assert target.seen["500"] >= 3
            target.mode = "pass"
            traffic.push()
            until(lambda: stored_values(prometheus) == traffic.taken[1:], 30, "the next is stored")


def test_last_values_are_delivered_without_new_ones(
    make_collector: MakeCollector, cloud: Prometheus
) -> None:
    """A handler that falls silent has its last values in the cloud within seconds."""
    settings = cloud_settings(cloud.url, "remote-write")
    running = make_collector(OTEL_COLLECTOR_ROUTE="grafana-cloud", **settings).start()
    with sdk_worker(running.endpoint) as worker:
        traffic = Traffic(worker)
        traffic.push()
        wait_for_all(cloud, traffic, 5)


def test_kill_with_data_in_the_queue_loses_nothing(
    make_collector: MakeCollector, prometheus: Prometheus
) -> None:
    """What the Collector had taken when it was killed is delivered by the next one."""
    with faulty_proxy(prometheus.url) as target:
        target.refuse()
        running = make_collector(PROMETHEUS_URL=target.url).start()
        with sdk_worker(running.endpoint) as worker:
            traffic = Traffic(worker)
            for _ in range(20):
                traffic.push()
            running.kill()
            assert stored_values(prometheus) == []
            target.accept()
            running.start()
            wait_for_all(prometheus, traffic, 10)


@pytest.mark.parametrize("route", ["local", "grafana-cloud"])
def test_stop_is_quick_although_the_target_is_dead(
    make_collector: MakeCollector, route: str
) -> None:
    """SIGTERM ends the Collector within the platforms' grace (10 s), with data in the queue."""
    with faulty_proxy("http://127.0.0.1:1") as target:
        target.mode = "hang"
        settings = cloud_settings(target.url, "remote-write")
        running = make_collector(
            OTEL_COLLECTOR_ROUTE=route, PROMETHEUS_URL=target.url, **settings
        ).start()
        with sdk_worker(running.endpoint) as worker:
            Traffic(worker).push()
        until(lambda: target.seen["hang"] > 0, 30, "a request hangs")
        assert running.terminate() < 10
        target.refuse()
