"""The SDK's providers for one worker; no other file makes one.

Built after the fork: counts made before it would be exported by every child.
"""

from __future__ import annotations

import importlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import partial

from opentelemetry.metrics import CallbackOptions, Meter, Observation
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import MetricReader
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter

from telemetry.errors import TelemetryError
from telemetry.export.data_points import is_published
from telemetry.export.gauges import Gauges, Observe
from telemetry.metrics import METRICS, Kind, Metric
from telemetry.resource import SERVICE
from telemetry.store.layout import Layout
from telemetry.store.sources import Snapshot


def build_tracer_provider(resource: Resource, exporter: SpanExporter | None) -> TracerProvider:
    """Spans of `resource`, exported in batches where there is an exporter.

    Raises TelemetryError for an OTEL_* variable that the SDK cannot use.
    """
    with _name_unusable_variable():
        # OTEL_PROPAGATORS is read by this import, which would else come with the first request.
        importlib.import_module("opentelemetry.propagate")
        provider = TracerProvider(resource=resource, shutdown_on_exit=False)
        if exporter is not None:
            provider.add_span_processor(BatchSpanProcessor(exporter))
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
