"""Nothing that the Collector took is lost, whatever happens to the target or to the Collector.

Times are compressed: intervals of half a second stand for fifteen, an outage of twenty seconds
for ten minutes; the Collector's longest retry interval is 2 s instead of 30.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.lab.programs import Collector, Program, Prometheus, cloud_settings, until
from tests.lab.source import Source, source
from tests.lab.targets import FaultyTarget, faulty_target

pytestmark = pytest.mark.stack

Make = Callable[..., Collector]

INTERVAL = 0.5
COUNTED = 'predictions_total{class_name="legitimate"}'
MEMORY_MIB = 256


@dataclass
class Traffic:
    """Pushes one more prediction than before each interval; remembers what the Collector took."""

    worker: Source
    pushed: int = 0
    total: int = 0
    taken: list[int] = field(default_factory=list)

    def during(self, seconds: float) -> None:
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


def stored(target: Prometheus) -> list[int]:
    """Every value of the counter that the target has, in the order of its times."""
    series = target.samples(COUNTED)
    assert len(series) <= 1
    return [int(value) for values in series.values() for _, value in values]


def everything_arrived(target: Prometheus, traffic: Traffic, seconds: float) -> None:
    """The total and every interval's increment are in the target; waits so long for them."""

    def arrived() -> bool:
        return stored(target)[-1:] == [traffic.total]

    until(arrived, seconds, "the last value is stored")
    assert stored(target) == traffic.taken


def suffer(traffic: Traffic, target: FaultyTarget, collector: Collector) -> float:
    """The outage: refused, never answered, gone; the Collector killed in the middle of it.

    Gives the memory that the Collector holds at its end, in MiB.
    """
    traffic.during(2)
    target.refuse()
    traffic.during(3)
    target.mode = "hang"
    target.accept()
    traffic.during(10)  # longer than the Collector waits for an answer
    target.refuse()
    traffic.during(2)
    collector.kill()
    traffic.push()  # nobody takes this one: the next push carries it
    collector.start()
    traffic.during(3)
    resident = collector.resident_mib()
    target.mode = "pass"
    target.accept()
    traffic.during(1)
    return resident


@dataclass
class Outage:
    """One route in an outage of its cloud; of the local Prometheus where it has no cloud."""

    tools: Path
    folder: Path
    route: str
    metrics: str
    programs: list[Program] = field(default_factory=list)

    def happen(self) -> float:
        """Raises AssertionError where something was lost; gives the memory held, in MiB."""
        try:
            return self._happen()
        finally:
            for program in self.programs:
                program.kill()

    def _prometheus(self, name: str) -> Prometheus:
        made = Prometheus(self.tools, self.folder / name, cloud=name == "cloud")
        self.programs.append(made)
        return made.start()

    def _happen(self) -> float:
        cloud, local = self._prometheus("cloud"), self._prometheus("local")
        dead = local if self.route == "local" else cloud
        with faulty_target(dead.url) as target:
            running = self._collector(target.url, local.url)
            with source(running.endpoint) as worker:
                traffic = Traffic(worker)
                resident = suffer(traffic, target, running)
                if self.route == "both":
                    everything_arrived(local, traffic, 5)
                everything_arrived(dead, traffic, 30)
        assert target.seen["hang"] > 0
        assert len(traffic.taken) < traffic.pushed
        return resident

    def _collector(self, target: str, local: str) -> Collector:
        running = Collector(
            self.tools,
            self.folder / "collector",
            OTEL_COLLECTOR_ROUTE=self.route,
            PROMETHEUS_URL=target if self.route == "local" else local,
            **cloud_settings(target, self.metrics),
        )
        self.programs.append(running)
        return running.start()


OUTAGES = {
    "local": ("local", "otlp"),
    "grafana-cloud by remote-write": ("grafana-cloud", "remote-write"),
    "both by remote-write": ("both", "remote-write"),
    "both by otlp": ("both", "otlp"),
}


@pytest.fixture(scope="module")
def outages(tools: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Future[float]]:
    """All of them at once, since they mostly wait."""
    with ThreadPoolExecutor(len(OUTAGES)) as pool:
        return {
            name: pool.submit(Outage(tools, tmp_path_factory.mktemp("outage"), *chosen).happen)
            for name, chosen in OUTAGES.items()
        }


@pytest.mark.parametrize("name", OUTAGES)
def test_outage_loses_nothing(outages: dict[str, Future[float]], name: str) -> None:
    """The dead target ends up with every increment, a live one never waited, memory is bounded."""
    assert outages[name].result() < MEMORY_MIB


@pytest.mark.parametrize("metrics", ["remote-write", "otlp"])
def test_dead_target_does_not_hold_up_the_live_one(
    collector: Make, prometheus: Prometheus, metrics: str
) -> None:
    """With a cloud that never answers, every push is in the local Prometheus within 3 s."""
    with faulty_target("http://127.0.0.1:1") as target:
        target.mode = "hang"
        running = collector(
            OTEL_COLLECTOR_ROUTE="both",
            PROMETHEUS_URL=prometheus.url,
            **cloud_settings(target.url, metrics),
        ).start()
        with source(running.endpoint) as worker:
            traffic = Traffic(worker)
            for _ in range(5):
                traffic.push()
                everything_arrived(prometheus, traffic, 3)
        target.refuse()


@pytest.mark.parametrize("metrics", ["remote-write", "otlp"])
@pytest.mark.parametrize("status", ["429", "503", "401"])
def test_answer_that_may_change_is_waited_for(
    collector: Make, cloud: Prometheus, metrics: str, status: str
) -> None:
    """Rate limits, overload and refused credentials delay what was counted, they do not drop it."""
    with faulty_target(cloud.url) as target:
        target.mode = status
        settings = cloud_settings(target.url, metrics) | {"COLLECTOR_RETRY_MAX_INTERVAL": "1s"}
        running = collector(OTEL_COLLECTOR_ROUTE="grafana-cloud", **settings).start()
        with source(running.endpoint) as worker:
            traffic = Traffic(worker)
            traffic.during(1)
            until(lambda: target.seen[status] >= 2, 10, "the target was tried again")
            target.mode = "pass"
            everything_arrived(cloud, traffic, 15)


@pytest.mark.parametrize("metrics", ["remote-write", "otlp"])
def test_batch_that_is_refused_for_good_does_not_block_the_next(
    collector: Make, cloud: Prometheus, metrics: str
) -> None:
    """400 means that the data itself is not wanted: it is dropped, said, and the queue moves on."""
    with faulty_target(cloud.url) as target:
        target.mode = "400"
        settings = cloud_settings(target.url, metrics)
        running = collector(OTEL_COLLECTOR_ROUTE="grafana-cloud", **settings).start()
        with source(running.endpoint) as worker:
            traffic = Traffic(worker)
            traffic.push()
            until(lambda: bool(running.errors()), 10, "the loss is logged")
            target.mode = "pass"
            traffic.push()
            until(lambda: stored(cloud) == traffic.taken[1:], 10, "the next batch is stored")


def test_last_values_are_delivered_without_new_ones(collector: Make, cloud: Prometheus) -> None:
    """A handler that falls silent has its last values in the cloud within seconds."""
    settings = cloud_settings(cloud.url, "remote-write")
    running = collector(OTEL_COLLECTOR_ROUTE="grafana-cloud", **settings).start()
    with source(running.endpoint) as worker:
        traffic = Traffic(worker)
        traffic.push()
        everything_arrived(cloud, traffic, 5)


def test_kill_with_data_in_the_queue_loses_nothing(collector: Make, prometheus: Prometheus) -> None:
    """What the Collector had taken when it was killed is delivered by the next one."""
    with faulty_target(prometheus.url) as target:
        target.refuse()
        running = collector(PROMETHEUS_URL=target.url).start()
        with source(running.endpoint) as worker:
            traffic = Traffic(worker)
            for _ in range(20):
                traffic.push()
            running.kill()
            assert stored(prometheus) == []
            target.accept()
            running.start()
            everything_arrived(prometheus, traffic, 10)


@pytest.mark.parametrize("route", ["local", "grafana-cloud"])
def test_stop_is_quick_although_the_target_is_dead(collector: Make, route: str) -> None:
    """SIGTERM ends the Collector within the platforms' grace (10 s), with data in the queue."""
    with faulty_target("http://127.0.0.1:1") as target:
        target.mode = "hang"
        settings = cloud_settings(target.url, "remote-write")
        running = collector(
            OTEL_COLLECTOR_ROUTE=route, PROMETHEUS_URL=target.url, **settings
        ).start()
        with source(running.endpoint) as worker:
            Traffic(worker).push()
        until(lambda: target.seen["hang"] > 0, 10, "a request hangs")
        assert running.terminate() < 10
        target.refuse()
