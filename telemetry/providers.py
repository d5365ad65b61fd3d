"""The SDK's providers for one worker, and the one place that puts telemetry together.

Built after the fork: counts made before it would be exported by every child.
"""

from __future__ import annotations

import logging
import socket
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from flask import Flask
from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.metrics import CallbackOptions, Observation
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader, MetricReader, MetricsData
from opentelemetry.sdk.resources import SERVICE_INSTANCE_ID, SERVICE_NAME, Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

from telemetry import tracing
from telemetry.backlog import Backlog
from telemetry.exemplars import Exemplars
from telemetry.export.data_points import complete, is_shown
from telemetry.export.export_numbers import Deliveries
from telemetry.export.exposition import Exposition, SummedReader
from telemetry.export.gauges import Gauges, ModelFacts, Reading, gauges_of
from telemetry.export.push import QuietPush
from telemetry.metrics import METRICS, PREDICTIONS, Kind, Metric, counted
from telemetry.recorder import Recorder
from telemetry.store.layout import Layout
from telemetry.store.slots import Slot, Slots
from telemetry.store.sources import AllSlots, Look, OneSlot, Source
from telemetry.system_usage import ResourceReader
from telemetry.tracing import Spans

_log = logging.getLogger(__name__)
_SCOPE = "fraud-handler"
_DEFAULT_INTERVAL_MS = 60_000


class TelemetryError(Exception):
    """One sentence that names the OTEL_* variable, its value and what was expected."""


@dataclass(frozen=True)
class Telemetry:
    """A worker's telemetry: what the handler records into, and what it shows."""

    instance: str
    recorder: Recorder
    spans: Spans
    exposition: Exposition | None
    resources: ResourceReader
    total_predictions: Callable[[], int]
    collect: Callable[[], MetricsData]
    tracer_provider: TracerProvider
    _push: QuietPush | None
    _slot: Slot

    def instrument(self, app: Flask) -> None:
        """Give the application's requests their spans."""
        tracing.instrument(app, self.tracer_provider)

    def find_write_problem(self) -> str | None:
        """Why nothing can be counted, in one sentence; None while it can."""
        return None

    def close(self, timeout_seconds: float) -> None:
        """Deliver what is counted and traced, for at most `timeout_seconds`, then let go."""
        # Side by side: a dead Collector lets each of the two wait for its whole time.
        deadline = time.monotonic() + timeout_seconds
        spans = threading.Thread(target=self.tracer_provider.shutdown, daemon=True)
        spans.start()
        if self._push is not None:
            self._push.stop(timeout_seconds)
        spans.join(max(0.0, deadline - time.monotonic()))
        self._slot.release()


def start(folder: Path, model: ModelFacts, port: int, environ: Mapping[str, str]) -> Telemetry:
    """Claim a slot in `folder` and begin to publish, as the OTEL_* variables in `environ` say.

    Raises TelemetryError for a value that cannot be used.
    """
    check_variables(environ)
    layout = Layout(counted(model.features, model.score))
    slots = Slots(folder, layout)
    slot = slots.claim()
    exemplars = Exemplars()
    resources = ResourceReader(folder)
    resource = _resource(slot.index, environ)
    everything = AllSlots(slots)
    on = environ.get("OTEL_SDK_DISABLED", "").lower() != "true"

    # The backlog is the service's, not a worker's: the first slot tells it for all of them.
    backlog = Backlog(port).waiting
    own = OneSlot(slots, slot.index)
    own_gauges = gauges_of(own, model, resources, backlog if slot.index == 0 else lambda: 0)
    reader, look = InMemoryMetricReader(), Look(own)
    _meter_provider(reader, resource, layout, look, own_gauges)
    collect = partial(_collect, reader, layout, look, exemplars)
    push = None
    if on and environ.get("OTEL_METRICS_EXPORTER", "otlp") == "otlp":
        push = QuietPush(
            collect,
            everything.pulse,
            OTLPMetricExporter(),
            float(environ.get("OTEL_METRIC_EXPORT_INTERVAL") or _DEFAULT_INTERVAL_MS) / 1000,
            Deliveries(slot, layout),
        )
        push.start()
    exposition = None
    if on:
        at_all = Look(everything)
        summed = SummedReader(partial(complete, layout=layout, look=at_all))
        gauges = gauges_of(everything, model, resources, backlog)
        _meter_provider(summed, resource, layout, at_all, gauges)
        exposition = Exposition(summed, at_all.again)
    tracer_provider = _tracer_provider(resource, environ)
    return Telemetry(
        instance=str(resource.attributes[SERVICE_INSTANCE_ID]),
        recorder=Recorder(slot, layout, exemplars, model.features, model.score),
        spans=Spans(tracer_provider.get_tracer(_SCOPE)),
        exposition=exposition,
        resources=resources,
        total_predictions=partial(_total_predictions, everything, layout),
        collect=collect,
        tracer_provider=tracer_provider,
        _push=push,
        _slot=slot,
    )


def check_variables(environ: Mapping[str, str]) -> None:
    """Raises TelemetryError for the first OTEL_* variable that cannot be used."""
    protocol = environ.get("OTEL_EXPORTER_OTLP_PROTOCOL", "http/protobuf")
    if protocol != "http/protobuf":
        raise TelemetryError(
            f"OTEL_EXPORTER_OTLP_PROTOCOL must be http/protobuf, got {protocol!r}:"
            " the handler sends OTLP over HTTP"
        )
    for name in ("OTEL_METRICS_EXPORTER", "OTEL_TRACES_EXPORTER"):
        if environ.get(name, "otlp") not in ("otlp", "none"):
            raise TelemetryError(f"{name} must be otlp or none, got {environ[name]!r}")
    interval = environ.get("OTEL_METRIC_EXPORT_INTERVAL") or str(_DEFAULT_INTERVAL_MS)
    if not interval.isdigit() or int(interval) < 100:
        raise TelemetryError(
            "OTEL_METRIC_EXPORT_INTERVAL must be a whole number of milliseconds, at least 100,"
            f" got {interval!r}"
        )


def _resource(slot: int, environ: Mapping[str, str]) -> Resource:
    """Who speaks: the instance is the place of the worker, not the process, so that series stay."""
    told = Resource.create().attributes
    given = "service.instance.id=" in environ.get("OTEL_RESOURCE_ATTRIBUTES", "")
    place = told[SERVICE_INSTANCE_ID] if given else socket.gethostname()
    name = environ.get("OTEL_SERVICE_NAME") or _SCOPE
    named = "service.name=" in environ.get("OTEL_RESOURCE_ATTRIBUTES", "")
    own = {SERVICE_INSTANCE_ID: f"{place}-{slot}"}
    return Resource(told).merge(Resource(own if named else {**own, SERVICE_NAME: name}))


def _tracer_provider(resource: Resource, environ: Mapping[str, str]) -> TracerProvider:
    provider = TracerProvider(resource=resource, shutdown_on_exit=False)
    if environ.get("OTEL_TRACES_EXPORTER", "otlp") == "otlp":
        provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    return provider


def _meter_provider(
    reader: MetricReader, resource: Resource, layout: Layout, look: Look, gauges: Gauges
) -> MeterProvider:
    provider = MeterProvider([reader], resource, shutdown_on_exit=False)
    meter = provider.get_meter(_SCOPE)
    for metric in METRICS:
        if metric.kind is Kind.COUNTER:
            meter.create_observable_counter(
                metric.name,
                [partial(_observe_counts, layout, look, metric)],
                metric.unit,
                metric.meaning,
            )
        elif metric.kind is Kind.GAUGE:
            meter.create_observable_gauge(
                metric.name, [partial(_observe, gauges[metric.name])], metric.unit, metric.meaning
            )
    return provider


def _observe_counts(
    layout: Layout, look: Look, metric: Metric, options: CallbackOptions
) -> Iterable[Observation]:
    for series in layout.series[metric.name]:
        if is_shown(series, look.cells):
            yield Observation(look.cells[series.offset], series.attributes())


def _observe(
    reading: Callable[[], Iterable[Reading]], options: CallbackOptions
) -> Iterable[Observation]:
    for value, attributes in reading():
        yield Observation(value, attributes)


def _collect(
    reader: InMemoryMetricReader, layout: Layout, look: Look, exemplars: Exemplars
) -> MetricsData:
    look.again()
    data = reader.get_metrics_data()
    if data is None:
        return MetricsData(resource_metrics=[])
    return complete(data, layout, look, exemplars.take())


def _total_predictions(source: Source, layout: Layout) -> int:
    cells = source.cells()
    return int(sum(cells[series.offset] for series in layout.series[PREDICTIONS.name]))
