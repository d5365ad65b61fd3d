"""The push: quiet while nothing happens, complete when something does, safe from a dead target."""

from __future__ import annotations

import time
from dataclasses import replace
from threading import Lock

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

from telemetry.export.export_numbers import Deliveries
from telemetry.export.push import QuietPush
from telemetry.metrics import DELIVERIES
from telemetry.store.layout import Layout
from telemetry.store.slots import Slots


class Target(MetricExporter):
    """Remembers (value, time) of what was delivered; refuses while `dead`, hangs for `delay`."""

    def __init__(self) -> None:
        super().__init__()
        self.delivered: list[tuple[float, int]] = []
        self.numbers: list[float] = []
        self.dead = False
        self.delay = 0.0

    def export(self, metrics_data, timeout_millis=10_000, **kwargs):
        time.sleep(self.delay)
        if self.dead:
            return MetricExportResult.FAILURE
        count, number = metrics_data.resource_metrics[0].scope_metrics[0].metrics
        [point] = count.data.data_points
        self.delivered.append((point.value, point.time_unix_nano))
        self.numbers.append(number.data.data_points[0].value)
        return MetricExportResult.SUCCESS

    def force_flush(self, timeout_millis=10_000):
        return True

    def shutdown(self, timeout_millis=30_000, **kwargs):
        pass

    @property
    def values(self) -> list[float]:
        return [value for value, _ in self.delivered]


class Service:
    """One counter; its pulse is its value."""

    def __init__(self) -> None:
        self.count = 0

    def pulse(self) -> int:
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
def service():
    return Service()


@pytest.fixture
def target():
    return Target()


@pytest.fixture
def claimed(tmp_path):
    """Gives one holder after the other of the same slot: each sees what the last one wrote."""
    layout = Layout([DELIVERIES])
    slot = Slots(tmp_path, layout).claim()
    yield lambda: Deliveries(replace(slot, lock=Lock()), layout)
    slot.release()


@pytest.fixture
def push(service, target, claimed):
    return QuietPush(service.collect, service.pulse, target, 0.05, claimed())


def test_zeros_are_told_first(push, target):
    push.tick()
    assert target.values == [0]


def test_nothing_is_sent_while_nothing_happens(push, target):
    for _ in range(100):
        push.tick()
    assert target.values == [0]


def test_silence_is_made_up_for_before_the_news(push, service, target):
    """The old value comes first, stamped later than before and earlier than the news, so that
    `increase` sees the step."""
    push.tick()
    push.tick()
    service.count = 1
    push.tick()
    assert target.values == [0, 0, 1]
    first, quiet, news = (stamp for _, stamp in target.delivered)
    assert first < quiet < news


def test_steady_traffic_is_sent_once_a_tick(push, service, target):
    for service.count in range(5):
        push.tick()
    assert target.values == [0, 1, 2, 3, 4]


def test_dead_target_loses_nothing(push, service, target, caplog):
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


def test_undelivered_news_is_tried_again_without_new_traffic(push, service, target):
    push.tick()
    target.dead = True
    service.count = 1
    push.tick()
    target.dead = False
    push.tick()
    assert target.values == [0, 1]


def test_stop_delivers_what_is_left(push, service, target):
    push.start()
    service.count = 7
    push.stop(timeout_seconds=5)
    assert target.values[-1] == 7


def test_stop_waits_no_longer_than_told(push, service, target):
    """A black hole must not hold up the end of the process."""
    target.delay = 30
    push.start()
    began = time.monotonic()
    push.stop(timeout_seconds=0.2)
    assert time.monotonic() - began < 5


def test_fault_of_one_turn_does_not_end_the_pushing(push, service, target, caplog):
    collect, service.collect = service.collect, None
    push._collect = lambda: 1 / 0
    push._try()
    push._collect = collect
    push._try()
    assert target.values == [0]
    assert "could not be collected" in caplog.text


def test_deliveries_are_numbered_without_a_gap(push, service, target):
    """Also over silence, whose made-up delivery has a number of its own."""
    for service.count in (0, 1, 1, 1, 2):
        push.tick()
    assert target.values == [0, 1, 1, 2]
    assert target.numbers == [1, 2, 3, 4]


def test_refused_delivery_leaves_no_gap(push, service, target):
    """What the Collector did not take is not missing in the store."""
    push.tick()
    target.dead = True
    for service.count in (1, 2):
        push.tick()
    target.dead = False
    push.tick()
    assert target.numbers == [1, 2]


def test_next_holder_of_a_slot_counts_its_deliveries_on(push, service, target, claimed):
    """A recycled worker, or a restart that finds the slots again, is no gap."""
    push.tick()
    QuietPush(service.collect, service.pulse, target, 0.05, claimed()).tick()
    assert target.numbers == [1, 2]


def test_thread_that_outlived_its_worker_takes_no_number_back(claimed):
    hanging = claimed()
    number = hanging.following()
    claimed().taken(7)
    hanging.taken(number)
    assert hanging.following() == 8
