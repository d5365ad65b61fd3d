"""Counters and gauges with given histories, written to a Prometheus in one request."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import requests
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsServiceRequest,
)
from opentelemetry.proto.metrics.v1.metrics_pb2 import AggregationTemporality

Labels = tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class History:
    """Values of one series at given times (seconds since 1970); a counter unless a gauge."""

    name: str
    labels: Labels
    points: tuple[tuple[float, float], ...]
    gauge: bool = False
    instance: str = "host-0"


def labels(**of: str) -> Labels:
    """Labels in a stable order."""
    return tuple(sorted(of.items()))


def backfill(url: str, histories: Iterable[History]) -> None:
    """All histories in one request, so that no rule sees a part of them."""
    request = ExportMetricsServiceRequest()
    for history in histories:
        _add(request, history)
    write_otlp(url, request.SerializeToString())


def write_otlp(url: str, request: bytes, timeout: float = 10) -> None:
    """Write an ExportMetricsServiceRequest to a Prometheus by its OTLP receiver."""
    answer = requests.post(
        f"{url}/api/v1/otlp/v1/metrics",
        data=request,
        headers={"Content-Type": "application/x-protobuf"},
        timeout=timeout,
    )
    assert answer.status_code == 200, answer.text


def _add(request: ExportMetricsServiceRequest, history: History) -> None:
    resource = request.resource_metrics.add()
    _set_attributes(
        resource.resource.attributes,
        {"service.name": "fraud-handler", "service.instance.id": history.instance},
    )
    metric = resource.scope_metrics.add().metrics.add(name=history.name)
    if not history.gauge:
        metric.sum.is_monotonic = True
        metric.sum.aggregation_temporality = (
            AggregationTemporality.AGGREGATION_TEMPORALITY_CUMULATIVE
        )
    kind = metric.gauge if history.gauge else metric.sum
    for moment, value in history.points:
        point = kind.data_points.add(time_unix_nano=int(moment * 1e9), as_double=value)
        _set_attributes(point.attributes, dict(history.labels))


def _set_attributes(target: Any, values: Mapping[str, str]) -> None:
    for key, value in values.items():
        target.add(key=key).value.string_value = value
