"""What is missing in the store, by the numbers of the deliveries: in series, and for real."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

import pytest
from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
from opentelemetry.sdk.metrics.export import (
    AggregationTemporality,
    Metric,
    MetricsData,
    NumberDataPoint,
    ResourceMetrics,
    ScopeMetrics,
    Sum,
)
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.util.instrumentation import InstrumentationScope

from prometheus.generator.generate import write
from prometheus.generator.recordings.lost_exports import LOST, TAKEN
from telemetry.export.export_numbers import ExportNumbers
from telemetry.export.push import PeriodicPush
from telemetry.metrics import DELIVERIES
from telemetry.store.layout import Layout
from telemetry.store.slots import Slots
from tests.lab.collector import Collector
from tests.lab.faulty_proxy import FaultyProxy, faulty_proxy
from tests.lab.polling import until
from tests.lab.prometheus import Prometheus
from tests.lab.promtool import Case, Question, run
from tests.prometheus.rules.series import handler

pytestmark = pytest.mark.stack

# Samples a minute; at 70 minutes the window is of the minutes 6 to 65.
HISTORIES = {
    "none missing": ("1+1x80", 60, 0),
    "three missing in a row": ("1+1x29 _x3 34+1x50", 60, 3),
    "all missing after a time": ("1+1x20 _x20 42+1x50", 60, 20),
    "missing at the window's edge": ("1+1x3 _x10 15+1x80", 62, 10),
    "one number twice": ("1+1x30 31+1x60", 59, 0),
    "none taken in an outage": ("1+1x30 _x20 32+1x60", 40, 0),
    "a new series of an older count": ("_x20 500+1x80", 46, 0),
    "first number of a new series": ("_x65 1x20", 1, 0),
}  # fmt: skip


@pytest.mark.parametrize("name", HISTORIES)
def test_shortfall(tools: Path, tmp_path: Path, name: str) -> None:
    """Different numbers in the window against their difference."""
    values, taken, lost = HISTORIES[name]
    case = Case(
        name,
        handler("telemetry_deliveries_total", values),
        (
            Question(f"sum({TAKEN})", "70m", (("{}", taken),)),
            Question(f"sum({LOST})", "70m", (("{}", lost),)),
        ),
    )
    wrong = run(tools, tmp_path, [case], LOST)
    assert not wrong, wrong


def test_nothing_is_said_until_numbers_that_began_anew_fill_the_window(
    tools: Path, tmp_path: Path
) -> None:
    """The first 60 minutes count to 60, then another state folder begins with 1."""
    questions = tuple(Question(f"sum({LOST})", at) for at in ("70m", "100m", "124m"))
    known = Question(f"sum({LOST})", "130m", (("{}", 0),))
    series = handler("telemetry_deliveries_total", "1+1x59 1+1x100")
    wrong = run(tools, tmp_path, [Case("anew", series, (*questions, known))], LOST)
    assert not wrong, wrong


def test_what_is_lost_before_days_of_silence_shows_after_them(tools: Path, tmp_path: Path) -> None:
    """The last number in the store is three days old; the three after it are missing."""
    series = handler("telemetry_deliveries_total", "1+1x10 _x431 15+1x10")
    case = Case("silence", series, (Question(f"sum({LOST})", "4440m", (("{}", 3),)),), "10m")
    wrong = run(tools, tmp_path, [case], LOST, every="10m")
    assert not wrong, wrong


class Worker:
    """A handler's push with a number of its own, in a slot; one tick is one interval."""

    def __init__(self, folder: Path, endpoint: str, instance: str) -> None:
        layout = Layout([DELIVERIES])
        self.events = 0
        self._resource = Resource({"service.name": "handler", "service.instance.id": instance})
        exporter = OTLPMetricExporter(f"{endpoint}/v1/metrics", timeout=2)
        numbers = ExportNumbers(Slots(folder, layout).claim(), layout)
        self._push = PeriodicPush(self._collect, lambda: self.events, exporter, 60, numbers)

    def _collect(self) -> MetricsData:
        point = NumberDataPoint({}, time.time_ns(), time.time_ns(), 0)
        data = Sum([point], AggregationTemporality.CUMULATIVE, True)
        metric = Metric(DELIVERIES.name, "", "", data)
        scope = ScopeMetrics(InstrumentationScope("test"), [metric], "")
        return MetricsData([ResourceMetrics(self._resource, [scope], "")])

    def busy(self, ticks: int) -> None:
        """So many intervals with traffic."""
        for _ in range(ticks):
            self.events += 1
            self._push.tick()
            time.sleep(0.1)

    def quiet(self, ticks: int) -> None:
        """So many intervals without."""
        for _ in range(ticks):
            self._push.tick()


def waiting(collector: Collector) -> float:
    """What is in the Collector's queues."""
    return sum(collector.internal_metric("otelcol_exporter_queue_size").values())


def refused_for_good(target: FaultyProxy, collector: Collector, worker: Worker) -> None:
    """The target does not want the data, as when it is too old."""
    target.mode = "400"
    worker.busy(6)
    until(lambda: not waiting(collector), 30, "the Collector gave the data up")
    target.mode = "pass"


def queue_thrown_away(target: FaultyProxy, collector: Collector, worker: Worker) -> None:
    """The Collector is replaced while it could not deliver, and its queue was on no volume."""
    target.refuse()
    worker.busy(6)
    collector.kill()
    shutil.rmtree(collector.queue)
    target.accept()
    collector.start()


def outage(target: FaultyProxy, collector: Collector, worker: Worker) -> None:
    """Neither target nor Collector are there for a time; the queue outlives it."""
    target.refuse()
    worker.busy(6)
    collector.kill()
    worker.busy(1)
    target.accept()
    collector.start()


@pytest.mark.parametrize(
    ("happening", "missing"), [(refused_for_good, 7), (queue_thrown_away, 7), (outage, 0)]
)
def test_lost_on_the_real_way(
    tools: Path,
    tmp_path: Path,
    exit_stack: ExitStack,
    happening: Callable[[FaultyProxy, Collector, Worker], None],
    missing: int,
) -> None:
    """Handler's push, Collector, Prometheus with the rules, an hour in a minute: the alert fires
    exactly where something was lost; silence alone loses nothing. Of the seven, one is what makes
    up for silence."""
    write(tmp_path / "prometheus/rules", 60)
    prometheus = exit_stack.enter_context(Prometheus(tools, tmp_path / "prometheus"))
    with faulty_proxy(prometheus.url) as target:
        collector = exit_stack.enter_context(
            Collector(tools, tmp_path / "collector", PROMETHEUS_URL=target.url)
        )
        worker = Worker(tmp_path / "slots", collector.endpoint, "host-0")
        worker.busy(5)
        worker.quiet(3)
        until(lambda: prometheus.number(DELIVERIES.exposed) == 5, 30, "the first are stored")
        happening(target, collector, worker)
        worker.busy(5)
        lost = f"sum({LOST})"
        firing = 'count(ALERTS{alertname="TelemetryLost", alertstate="firing"})'
        if missing:
            until(lambda: prometheus.number(firing) == 1, 40, "the alert fires")
        else:
            until(lambda: (prometheus.number(f"sum({TAKEN})") or 0) >= 16, 40, "all is evaluated")
        assert prometheus.number(lost) == missing
        highest = prometheus.number(f"max(max_over_time({LOST}[5m]))")
        assert highest == missing
