"""Histograms and times of a collection, which the SDK's instruments cannot give.

OpenTelemetry has no observable histogram: those in the slots are added to what the meter
collected, as data points of the same kind.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from opentelemetry.sdk.metrics import Exemplar
from opentelemetry.sdk.metrics.export import (
    AggregationTemporality,
    Histogram,
    HistogramDataPoint,
    Metric,
    MetricsData,
    Sum,
)

from telemetry.bucket_bound import BucketBound
from telemetry.exemplars import Sample
from telemetry.metrics import Kind
from telemetry.store.layout import Layout, Series
from telemetry.store.sources import Snapshot

_NO_SAMPLES: Mapping[int, Sample] = {}


def add_histograms(
    data: MetricsData,
    layout: Layout,
    snapshot: Snapshot,
    samples: Mapping[int, Sample] = _NO_SAMPLES,
) -> MetricsData:
    """The collection with the slots' histograms added and the true start of each count.

    Counts go on over the worker's death, so they began when the slot did, not the process.
    """
    start = int(snapshot.source.created() * 1e9)
    histograms = _build_histograms(layout, snapshot.cells, start, time.time_ns(), samples)
    resources = []
    for resource in data.resource_metrics:
        scope = resource.scope_metrics[0]
        counts = [_set_start(metric, start) for metric in scope.metrics]
        resources.append(
            replace(resource, scope_metrics=[replace(scope, metrics=[*counts, *histograms])])
        )
    return MetricsData(resource_metrics=resources)


def restamp(data: MetricsData, time_unix_nano: int) -> MetricsData:
    """The same values with another timestamp; exemplars are not sent twice."""
    return map_metrics(
        data, lambda metric: set_in_points(metric, time_unix_nano=time_unix_nano, exemplars=[])
    )


def map_metrics(data: MetricsData, change: Callable[[Metric], Metric]) -> MetricsData:
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


def set_in_points(metric: Metric, **fields: Any) -> Metric:
    """The same metric with these fields set in each of its data points."""
    points = [replace(point, **fields) for point in metric.data.data_points]
    return replace(metric, data=replace(metric.data, data_points=points))  # type: ignore[arg-type]


def _build_histograms(
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
                    _build_histogram_point(series, cells, start, now, samples)
                    for series in layout.series[metric.name]
                    if is_published(series, cells)
                ],
                aggregation_temporality=AggregationTemporality.CUMULATIVE,
            ),
        )
        for metric in layout.metrics
        if metric.kind is Kind.HISTOGRAM
    ]


def is_published(series: Series, cells: Sequence[float]) -> bool:
    """True where a series is known from the start, or was counted at least once."""
    if series.metric.is_known(series.labels):
        return True
    return any(cells[series.offset : series.offset + series.cells])


def _build_histogram_point(
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
        explicit_bounds=[BucketBound(bound) for bound in bounds],
        # Not known over the life of a slot; None is left out of the message.
        min=None,  # type: ignore[arg-type]
        max=None,  # type: ignore[arg-type]
        exemplars=[
            _build_exemplar(samples[cell])
            for cell in range(series.offset, series.offset + len(counts))
            if cell in samples
        ],
    )


def _build_exemplar(sample: Sample) -> Exemplar:
    return Exemplar({}, sample.value, sample.time_unix_nano, sample.span_id, sample.trace_id)


def _set_start(metric: Metric, start: int) -> Metric:
    if not isinstance(metric.data, Sum):
        return metric
    return set_in_points(metric, start_time_unix_nano=start)
