"""COLLECTOR_SUM_INSTANCES: what leaves the Collector is exactly what the instances counted."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import pytest

from tests.lab.collector import Collector
from tests.lab.fixtures import MakeCollector
from tests.lab.polling import until
from tests.lab.prometheus import Prometheus
from tests.lab.sdk_worker import SdkWorker

pytestmark = pytest.mark.stack

COUNTED = 'predictions_total{class_name="legitimate"}'
SCORES = "fraud_detection_score_count"
NEVER = "1h"


@dataclass
class Fleet:
    """Instances that push to one Collector, and how often each was told to count."""

    endpoint: str
    workers: dict[str, SdkWorker] = field(default_factory=dict)
    sent: int = 0

    def count(self, name: str, times: int) -> None:
        """Counts in this instance, which is started if need be, and pushes."""
        worker = self.workers.setdefault(name, SdkWorker(self.endpoint, name))
        worker.predict(times)
        for _ in range(times):
            worker.score.record(0.3)
        self.sent += times
        assert worker.push()

    def restart(self, name: str) -> None:
        """The instance begins at 0 again."""
        self.workers.pop(name).close()

    def close(self) -> None:
        """Ends all of them."""
        for name in list(self.workers):
            self.restart(name)


@contextmanager
def fleet_of(collector: Collector) -> Iterator[Fleet]:
    """No instances yet; all are ended at the end."""
    made = Fleet(collector.endpoint)
    try:
        yield made
    finally:
        made.close()


def summing(make_collector: MakeCollector, store: Prometheus, every: str = "1s") -> Collector:
    """A running Collector that adds instances up."""
    settings = {"COLLECTOR_SUM_INSTANCES": "true", "COLLECTOR_SUM_INTERVAL": every}
    return make_collector(PROMETHEUS_URL=store.url, **settings).start()


def wait_for_sum(store: Prometheus, fleet: Fleet) -> None:
    """One series holds all that was counted, and it never fell on the way."""

    def is_sum() -> bool:
        return store.number(COUNTED) == store.number(SCORES) == fleet.sent

    until(is_sum, 20, "the sum is stored")
    for series in (COUNTED, SCORES):
        assert store.number(f"resets({series}[1h])") == 0
        assert {dict(each)["instance"] for each in store.series(series)} == {"all"}


def test_sum_is_exact_over_restarts_of_an_instance(
    make_collector: MakeCollector, prometheus: Prometheus
) -> None:
    """Also of one that has counted more since its restart than before it."""
    with fleet_of(summing(make_collector, prometheus)) as fleet:
        for name, times in (("a", 5), ("b", 7), ("c", 11), ("a", 2), ("b", 1)):
            fleet.count(name, times)
        wait_for_sum(prometheus, fleet)
        fleet.restart("a")
        fleet.count("a", 3)
        fleet.restart("b")
        fleet.count("b", 40)
        fleet.count("d", 6)
        wait_for_sum(prometheus, fleet)


def test_gauges_and_deliveries_stay_by_instance(
    make_collector: MakeCollector, prometheus: Prometheus
) -> None:
    """What cannot be added, and what TelemetryLost goes by."""
    with fleet_of(summing(make_collector, prometheus)) as fleet:
        for name in ("a", "b"):
            worker = fleet.workers.setdefault(name, SdkWorker(fleet.endpoint, name))
            worker.deliveries.add(1)
            fleet.count(name, 3)
        wait_for_sum(prometheus, fleet)
    for name in ("system_cpu_usage_percent", "telemetry_deliveries_total"):
        assert {dict(each)["instance"] for each in prometheus.series(name)} == {"a", "b"}


def test_sum_is_exact_over_a_killed_collector(
    make_collector: MakeCollector, prometheus: Prometheus
) -> None:
    """What it had taken and not yet sent when it was killed is in the sum of the next one, though
    the instance is gone for good; and what was sent does not fall."""
    running = summing(make_collector, prometheus)
    with fleet_of(running) as fleet:
        fleet.count("a", 5)
        fleet.count("b", 7)
        wait_for_sum(prometheus, fleet)
        running.kill()
        running.env["COLLECTOR_SUM_INTERVAL"] = NEVER
        running.start()
        fleet.count("a", 4)
        fleet.count("gone", 9)
        running.kill()
        running.env["COLLECTOR_SUM_INTERVAL"] = "1s"
        running.start()
        wait_for_sum(prometheus, fleet)
        fleet.count("b", 2)
        wait_for_sum(prometheus, fleet)


def test_stop_sends_what_was_added(make_collector: MakeCollector, prometheus: Prometheus) -> None:
    """SIGTERM within an interval; the next Collector delivers it."""
    running = summing(make_collector, prometheus, NEVER)
    with fleet_of(running) as fleet:
        fleet.count("a", 5)
        running.terminate()
        running.env["COLLECTOR_SUM_INTERVAL"] = NEVER
        running.start()
        wait_for_sum(prometheus, fleet)


def test_counts_of_before_are_not_taken_for_new_ones(
    make_collector: MakeCollector, prometheus: Prometheus
) -> None:
    """Where it is switched on, or lost its folder, what running instances counted is history."""
    running = make_collector(PROMETHEUS_URL=prometheus.url).start()
    with fleet_of(running) as fleet:
        fleet.count("a", 1000)
        fleet.count("b", 2000)
        running.terminate()
        running.env |= {"COLLECTOR_SUM_INSTANCES": "true", "COLLECTOR_SUM_INTERVAL": "1s"}
        running.start()
        fleet.count("a", 1)
        fleet.count("b", 1)
        fleet.sent = 0
        fleet.count("a", 3)
        fleet.count("b", 4)
        fleet.count("new", 5)
        all_of_it = 'predictions_total{class_name="legitimate", instance="all"}'
        until(lambda: prometheus.number(all_of_it) == fleet.sent, 20, "the sum begins at 0")
