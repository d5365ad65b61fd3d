"""The push: quiet while nothing happens, complete when something does, safe from a dead target."""

from __future__ import annotations

import time

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

from telemetry.push import QuietPush


class Target(MetricExporter):
    """Remembers (value, time) of what was delivered; refuses while `dead`, hangs for `delay`."""

    def __init__(self) -> None:
        super().__init__()
        self.delivered: list[tuple[float, int]] = []
        self.dead = False
        self.delay = 0.0

    def export(self, metrics_data, timeout_millis=10_000, **kwargs):
        time.sleep(self.delay)
        if self.dead:
            return MetricExportResult.FAILURE
        [point] = metrics_data.resource_metrics[0].scope_metrics[0].metrics[0].data.data_points
        self.delivered.append((point.value, point.time_unix_nano))
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
        point = NumberDataPoint({}, 0, time.time_ns(), self.count)
        data = Sum([point], AggregationTemporality.CUMULATIVE, True)
        scope = ScopeMetrics(InstrumentationScope("test"), [Metric("c", "", "", data)], "")
        return MetricsData([ResourceMetrics(Resource({}), [scope], "")])


@pytest.fixture
def service():
    return Service()


@pytest.fixture
def target():
    return Target()


@pytest.fixture
def push(service, target):
    return QuietPush(service.collect, service.pulse, target, interval_seconds=0.05)


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
