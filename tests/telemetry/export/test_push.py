"""The push: silent while nothing happens, complete when something does, safe from a dead target."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from threading import Lock
from typing import Any

import pytest
from opentelemetry.sdk.metrics.export import (
    AggregationTemporality,
    Metric,
    MetricExporter,
    MetricExportResult,
    MetricsData,
    NumberDataPoint,
    ResourceMetrics,
    ScopeMetrics,
    Sum,
)
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.util.instrumentation import InstrumentationScope

from telemetry.export.export_numbers import ExportNumbers
from telemetry.export.push import PeriodicPush
from telemetry.metrics import DELIVERIES
from telemetry.store.layout import Layout
from telemetry.store.slots import Slots


def read_points(metric: Metric) -> list[tuple[float, int]]:
    """Value and time of each point of a counter."""
    points = metric.data.data_points
    assert all(isinstance(point, NumberDataPoint) for point in points)
    return [
        (point.value, point.time_unix_nano)
        for point in points
        if isinstance(point, NumberDataPoint)
    ]


class Target(MetricExporter):
    """Remembers (value, time) of what was delivered; refuses while `dead`, hangs for `delay`."""

    def __init__(self) -> None:
        super().__init__()
        self.delivered: list[tuple[float, int]] = []
        self.numbers: list[float] = []
        self.dead = False
        self.delay = 0.0

    def export(
        self, metrics_data: MetricsData, timeout_millis: float | None = 10_000, **kwargs: Any
    ) -> MetricExportResult:
        time.sleep(self.delay)
        if self.dead:
            return MetricExportResult.FAILURE
        count, number = metrics_data.resource_metrics[0].scope_metrics[0].metrics
        [(value, stamp)] = read_points(count)
        self.delivered.append((value, stamp))
        self.numbers.append(read_points(number)[0][0])
        return MetricExportResult.SUCCESS

    def force_flush(self, timeout_millis: float = 10_000) -> bool:
        return True

    def shutdown(self, timeout_millis: float = 30_000, **kwargs: Any) -> None:
        pass

    @property
    def values(self) -> list[float]:
        return [value for value, _ in self.delivered]


class Service:
    """One counter; its value is its activity."""

    def __init__(self) -> None:
        self.count = 0

    def activity(self) -> int:
        return self.count

    def collect(self) -> MetricsData:
        metrics = [self._metric("c", self.count), self._metric(DELIVERIES.name, -1)]
        scope = ScopeMetrics(InstrumentationScope("test"), metrics, "")
        return MetricsData([ResourceMetrics(Resource({}), [scope], "")])

    @staticmethod
    def _metric(name: str, value: int) -> Metric:
        point = NumberDataPoint({}, 0, time.time_ns(), value)
        return Metric(name, "", "", Sum([point], AggregationTemporality.CUMULATIVE, True))


@pytest.fixture
def service() -> Service:
    return Service()


@pytest.fixture
def target() -> Target:
    return Target()


NextHolder = Callable[[], ExportNumbers]


@pytest.fixture
def claim_numbers(tmp_path: Path) -> Iterator[NextHolder]:
    """Gives one holder after the other of the same slot: each sees what the last one wrote."""
    layout = Layout([DELIVERIES])
    slot = Slots(tmp_path, layout).claim()
    yield lambda: ExportNumbers(replace(slot, lock=Lock()), layout)
    slot.release()


@pytest.fixture
def push(service: Service, target: Target, claim_numbers: NextHolder) -> PeriodicPush:
    return PeriodicPush(service.collect, service.activity, target, 0.05, claim_numbers())


def test_zeros_are_sent_first(push: PeriodicPush, target: Target) -> None:
    push.tick()
    assert target.values == [0]


def test_nothing_is_sent_while_nothing_happens(push: PeriodicPush, target: Target) -> None:
    for _ in range(100):
        push.tick()
    assert target.values == [0]


def test_silence_is_made_up_for_before_the_news(
    push: PeriodicPush, service: Service, target: Target
) -> None:
    """The old value comes first, stamped later than before and earlier than the news, so that
    `increase` sees the step."""
    push.tick()
    push.tick()
    service.count = 1
    push.tick()
    assert target.values == [0, 0, 1]
    first, quiet, news = (stamp for _, stamp in target.delivered)
    assert first < quiet < news


def test_steady_traffic_is_sent_once_a_tick(
    push: PeriodicPush, service: Service, target: Target
) -> None:
    for service.count in range(5):
        push.tick()
    assert target.values == [0, 1, 2, 3, 4]


def test_dead_target_loses_nothing(
    push: PeriodicPush, service: Service, target: Target, caplog: pytest.LogCaptureFixture
) -> None:
    """Counts are totals: the first delivery afterwards has them all, and two lines tell of it."""
    push.tick()
    target.dead = True
    for service.count in (1, 2, 3):
        push.tick()
    target.dead = False
    push.tick()
    assert target.values == [0, 3]
    assert [record.message.split(";")[0] for record in caplog.records] == [
        "metrics cannot be delivered",
        "metrics are delivered again",
    ]


def test_undelivered_news_is_tried_again_without_new_traffic(
    push: PeriodicPush, service: Service, target: Target
) -> None:
    push.tick()
    target.dead = True
    service.count = 1
    push.tick()
    target.dead = False
    push.tick()
    assert target.values == [0, 1]


def test_stop_delivers_what_is_left(push: PeriodicPush, service: Service, target: Target) -> None:
    push.start()
    service.count = 7
    push.stop(timeout_seconds=5)
    assert target.values[-1] == 7


def test_stop_waits_no_longer_than_given(
    push: PeriodicPush, service: Service, target: Target
) -> None:
    """A black hole must not hold up the end of the process."""
    target.delay = 30
    push.start()
    began = time.monotonic()
    push.stop(timeout_seconds=0.2)
    assert time.monotonic() - began < 5


def test_fault_of_one_interval_does_not_end_the_pushing(
    push: PeriodicPush, service: Service, target: Target, caplog: pytest.LogCaptureFixture
) -> None:
    def fail() -> MetricsData:
        raise ZeroDivisionError

    push._collect = fail
    push._try_tick()
    push._collect = service.collect
    push._try_tick()
    assert target.values == [0]
    assert "could not be collected" in caplog.text


def test_deliveries_are_numbered_without_a_gap(
    push: PeriodicPush, service: Service, target: Target
) -> None:
    """Also over silence, whose made-up delivery has a number of its own."""
    for service.count in (0, 1, 1, 1, 2):
        push.tick()
    assert target.values == [0, 1, 1, 2]
    assert target.numbers == [1, 2, 3, 4]


def test_refused_delivery_leaves_no_gap(
    push: PeriodicPush, service: Service, target: Target
) -> None:
    """What the Collector did not take is not missing in the store."""
    push.tick()
    target.dead = True
    for service.count in (1, 2):
        push.tick()
    target.dead = False
    push.tick()
    assert target.numbers == [1, 2]


def test_next_holder_of_a_slot_counts_its_deliveries_on(
    push: PeriodicPush, service: Service, target: Target, claim_numbers: NextHolder
) -> None:
    """A recycled worker, or a restart that finds the slots again, is no gap."""
    push.tick()
    PeriodicPush(service.collect, service.activity, target, 0.05, claim_numbers()).tick()
    assert target.numbers == [1, 2]


def test_thread_that_outlived_its_worker_takes_no_number_back(claim_numbers: NextHolder) -> None:
    hanging = claim_numbers()
    number = hanging.next_number()
    claim_numbers().mark_taken(7)
    hanging.mark_taken(number)
    assert hanging.next_number() == 8
