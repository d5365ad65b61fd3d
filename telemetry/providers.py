"""The SDK's providers for one worker; no other file makes one.

Built after the fork: counts made before it would be exported by every child.
"""

from __future__ import annotations

import importlib
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import partial

from opentelemetry.metrics import CallbackOptions, Meter, Observation
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import MetricReader
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter

from telemetry.deferred_tracing import DeferredTracerProvider
from telemetry.errors import TelemetryError
from telemetry.exemplars import Exemplars
from telemetry.export.data_points import is_published
from telemetry.export.gauges import Gauges, Observe
from telemetry.metrics import METRICS, Kind, Metric
from telemetry.recorder import Recorder
from telemetry.resource import SERVICE
from telemetry.store.layout import Layout
from telemetry.store.sources import Snapshot
from telemetry.tail_sampling import TailSampler, TraceSettings

_DELAY = "OTEL_BSP_SCHEDULE_DELAY"
# OpenTelemetry's own five seconds gather so many spans that encoding them is felt by requests.
_DELAY_MS = 1000


def build_tracer_provider(
    resource: Resource,
    exporter: SpanExporter | None,
    settings: TraceSettings,
    recorder: Recorder,
    exemplars: Exemplars,
) -> DeferredTracerProvider:
    """Spans of `resource`; those of kept traces are exported in batches, if there is an exporter.

    Raises TelemetryError for an OTEL_* variable that the SDK cannot use.
    """
    with _name_unusable_variable():
        # OTEL_PROPAGATORS is read by this import, which would else come with the first request.
        importlib.import_module("opentelemetry.propagate")
        sampler = TailSampler(settings, recorder)
        provider = DeferredTracerProvider(resource, sampler, settings.trust_caller, exemplars.keep)
        if exporter is not None:
            delay = None if _DELAY in os.environ else _DELAY_MS
            provider.add_span_processor(BatchSpanProcessor(exporter, schedule_delay_millis=delay))
    return provider


def build_meter_provider(
    reader: MetricReader, resource: Resource, layout: Layout, snapshot: Snapshot, gauges: Gauges
) -> MeterProvider:
    """An observable instrument for each counter and gauge of the table, collected by `reader`.

    Histograms have no observable instrument: `data_points.add_histograms` adds them. Raises
    TelemetryError for an OTEL_* variable that the SDK cannot use.
    """
    with _name_unusable_variable():
        provider = MeterProvider([reader], resource, shutdown_on_exit=False)
    meter = provider.get_meter(SERVICE)
    for metric in METRICS:
        if metric.kind is Kind.COUNTER:
            _create_counter(meter, metric, layout, snapshot)
        elif metric.kind is Kind.GAUGE:
            _create_gauge(meter, metric, gauges[metric.name])
    return provider


def _create_counter(meter: Meter, metric: Metric, layout: Layout, snapshot: Snapshot) -> None:
    observe = partial(_observe_counts, layout, snapshot, metric)
    meter.create_observable_counter(metric.name, [observe], metric.unit, metric.meaning)


def _create_gauge(meter: Meter, metric: Metric, observe: Observe) -> None:
    def call_back(options: CallbackOptions) -> Iterable[Observation]:
        return observe()

    meter.create_observable_gauge(metric.name, [call_back], metric.unit, metric.meaning)


def _observe_counts(
    layout: Layout, snapshot: Snapshot, metric: Metric, options: CallbackOptions
) -> Iterable[Observation]:
    for series in layout.series[metric.name]:
        if is_published(series, snapshot.cells):
            yield Observation(snapshot.cells[series.offset], series.attributes())


@contextmanager
def _name_unusable_variable() -> Iterator[None]:
    try:
        yield
    except ValueError as error:
        raise TelemetryError(f"an OTEL_* variable cannot be used: {error}") from error
