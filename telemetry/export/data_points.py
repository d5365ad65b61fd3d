"""Histograms and times of a collection, which the SDK's instruments cannot give.

OpenTelemetry has no observable histogram: what the slots hold is put beside what the meter
collected, as data points of the same kind.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from opentelemetry.sdk.metrics import Exemplar
from opentelemetry.sdk.metrics.export import (
    AggregationTemporality,
    Histogram,
    HistogramDataPoint,
    Metric,
    MetricsData,
    NumberDataPoint,
    Sum,
)

from telemetry.exemplars import Sample
from telemetry.metrics import Kind
from telemetry.store.layout import Layout, Series
from telemetry.store.sources import Look

_NO_SAMPLES: Mapping[int, Sample] = {}


class Bound(float):
    """A bucket's bound that is written as Prometheus' OTLP receiver writes it: 0.00001, 1, 2.5.

    Python writes 1e-05 and 1.0, which would be other values of the label `le` on `/metrics`.
    """

    def __format__(self, spec: str) -> str:
        return f"{float(self):.9f}".rstrip("0").rstrip(".")


def complete(
    data: MetricsData,
    layout: Layout,
    look: Look,
    samples: Mapping[int, Sample] = _NO_SAMPLES,
) -> MetricsData:
    """The collection with the slots' histograms added and the true start of each count.

    Counts go on over the worker's death, so they began when the slot did, not the process.
    """
    start = int(look.source.created() * 1e9)
    histograms = histograms_of(layout, look.cells, start, time.time_ns(), samples)
    resources = []
    for resource in data.resource_metrics:
        scope = resource.scope_metrics[0]
        counts = [_started(metric, start) for metric in scope.metrics]
        resources.append(
            replace(resource, scope_metrics=[replace(scope, metrics=[*counts, *histograms])])
        )
    return MetricsData(resource_metrics=resources)


def restamped(data: MetricsData, time_unix_nano: int) -> MetricsData:
    """The same values, seen at another time; exemplars are not told twice."""
    return changed(data, lambda metric: _seen_at(metric, time_unix_nano))


def changed(data: MetricsData, change: Callable[[Metric], Metric]) -> MetricsData:
    """The same collection with each of its metrics changed."""
    return MetricsData(
        resource_metrics=[
            replace(
                resource,
                scope_metrics=[
                    replace(scope, metrics=[change(metric) for metric in scope.metrics])
                    for scope in resource.scope_metrics
                ],
            )
            for resource in data.resource_metrics
        ]
    )


def histograms_of(
    layout: Layout, cells: Sequence[float], start: int, now: int, samples: Mapping[int, Sample]
) -> list[Metric]:
    """Every histogram of the table with its known and its counted series."""
    return [
        Metric(
            name=metric.name,
            description=metric.meaning,
            unit=metric.unit,
            data=Histogram(
                data_points=[
                    _histogram_point(series, cells, start, now, samples)
                    for series in layout.series[metric.name]
                    if is_shown(series, cells)
                ],
                aggregation_temporality=AggregationTemporality.CUMULATIVE,
            ),
        )
        for metric in layout.metrics
        if metric.kind is Kind.HISTOGRAM
    ]


def is_shown(series: Series, cells: Sequence[float]) -> bool:
    """True where a series is known from the start, or was counted at least once."""
    if series.metric.is_known(series.labels):
        return True
    return any(cells[series.offset : series.offset + series.cells])


def _histogram_point(
    series: Series, cells: Sequence[float], start: int, now: int, samples: Mapping[int, Sample]
) -> HistogramDataPoint:
    bounds = series.metric.bounds
    buckets = cells[series.offset : series.offset + len(bounds) + 1]
    counts = [int(count) for count in buckets]
    return HistogramDataPoint(
        attributes=series.attributes(),
        start_time_unix_nano=start,
        time_unix_nano=now,
        count=sum(counts),
        sum=cells[series.offset + len(bounds) + 1],
        bucket_counts=counts,
        explicit_bounds=[Bound(bound) for bound in bounds],
        # Not known over the life of a slot; None is left out of the message.
        min=None,  # type: ignore[arg-type]
        max=None,  # type: ignore[arg-type]
        exemplars=[
            _exemplar(samples[cell])
            for cell in range(series.offset, series.offset + len(counts))
            if cell in samples
        ],
    )


def _exemplar(sample: Sample) -> Exemplar:
    return Exemplar({}, sample.value, sample.time_unix_nano, sample.span_id, sample.trace_id)


def _started(metric: Metric, start: int) -> Metric:
    if not isinstance(metric.data, Sum):
        return metric
    points = [replace(point, start_time_unix_nano=start) for point in metric.data.data_points]
    return replace(metric, data=replace(metric.data, data_points=points))


def _seen_at(metric: Metric, time_unix_nano: int) -> Metric:
    points = [
        replace(point, time_unix_nano=time_unix_nano, exemplars=[])
        for point in metric.data.data_points
        if isinstance(point, NumberDataPoint | HistogramDataPoint)
    ]
    return replace(metric, data=replace(metric.data, data_points=points))  # type: ignore[arg-type]
