"""Nothing that the Collector took is lost, whatever happens to the target or to the Collector.

Times are compressed: intervals of half a second stand for fifteen, an outage of twenty seconds
for ten minutes; the Collector's longest retry interval is 2 s instead of 30.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field

import pytest

from tests.collector.lab import Collector, Prometheus, cloud_settings, until
from tests.collector.source import Source, source
from tests.collector.targets import FaultyTarget, faulty_target

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


def suffer(traffic: Traffic, target: FaultyTarget, collector: Collector) -> None:
    """The outage: refused, never answered, gone; the Collector killed in the middle of it."""
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
    assert collector.resident_mib() < MEMORY_MIB
    target.mode = "pass"
    target.accept()
    traffic.during(1)


@pytest.mark.timeout(180)
@pytest.mark.parametrize("metrics", ["remote-write", "otlp"])
def test_outage_of_the_cloud_loses_nothing(
    collector: Make, prometheus: Prometheus, cloud: Prometheus, metrics: str
) -> None:
    """Route `both`: every increment gets to the cloud; the local target never waited for it."""
    with faulty_target(cloud.url) as target:
        running = collector(
            OTEL_COLLECTOR_ROUTE="both",
            PROMETHEUS_URL=prometheus.url,
            **cloud_settings(target.url, metrics),
        ).start()
        with source(running.endpoint) as worker:
            traffic = Traffic(worker)
            suffer(traffic, target, running)
            everything_arrived(prometheus, traffic, 5)
            everything_arrived(cloud, traffic, 30)
    assert target.seen["hang"] > 0
    assert len(traffic.taken) < traffic.pushed


@pytest.mark.timeout(120)
def test_outage_on_the_cloud_route_loses_nothing(collector: Make, cloud: Prometheus) -> None:
    """Route `grafana-cloud` by remote-write."""
    with faulty_target(cloud.url) as target:
        settings = cloud_settings(target.url, "remote-write")
        running = collector(OTEL_COLLECTOR_ROUTE="grafana-cloud", **settings).start()
        with source(running.endpoint) as worker:
            traffic = Traffic(worker)
            suffer(traffic, target, running)
            everything_arrived(cloud, traffic, 30)


@pytest.mark.timeout(120)
def test_outage_of_the_local_prometheus_loses_nothing(
    collector: Make, prometheus: Prometheus
) -> None:
    """Route `local`."""
    with faulty_target(prometheus.url) as target:
        running = collector(PROMETHEUS_URL=target.url).start()
        with source(running.endpoint) as worker:
            traffic = Traffic(worker)
            suffer(traffic, target, running)
            everything_arrived(prometheus, traffic, 30)


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
        settings = cloud_settings(target.url, metrics)
        running = collector(OTEL_COLLECTOR_ROUTE="grafana-cloud", **settings).start()
        with source(running.endpoint) as worker:
            traffic = Traffic(worker)
            traffic.during(3)
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
