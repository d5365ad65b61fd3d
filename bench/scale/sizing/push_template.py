"""Pushes of made-up workers: a real one, sent with other identities and with counts that grow."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsServiceRequest,
)

from telemetry.metrics import DELIVERIES

Request = ExportMetricsServiceRequest
Key = tuple[str, tuple[tuple[str, str], ...]]
"""A metric's name and a point's attributes."""
_INSTANCE = "service.instance.id"


def read_points(request: Request) -> Iterator[tuple[str, str, Any]]:
    """Every data point with the kind and the OTLP name of its metric."""
    for resource in request.resource_metrics:
        for scope in resource.scope_metrics:
            for metric in scope.metrics:
                kind = metric.WhichOneof("data")
                for point in getattr(metric, kind).data_points:
                    yield kind, metric.name, point


def count_series(request: Request) -> int:
    """The series that Prometheus makes of a push: a histogram is its buckets, sum and count."""
    return sum(
        len(point.bucket_counts) + 2 if kind == "histogram" else 1
        for kind, _, point in read_points(request)
    )


def read_counts(kind: str, point: Any) -> list[float]:
    """What grows in a point: the value of a sum; the buckets and the sum of a histogram."""
    if kind == "histogram":
        return [*map(float, point.bucket_counts), point.sum]
    return [point.as_double if point.HasField("as_double") else float(point.as_int)]


class PushTemplate:
    """Encodes the push of any worker at any time.

    `last` is a real push, `first` an earlier one of the same worker; between them lies what one
    worker counts in `pushes` intervals. Each count grows evenly by that much, and is whole.
    """

    def __init__(self, first: Request, last: Request, pushes: float = 1.0) -> None:
        self._request = Request()
        self._request.CopyFrom(last)
        self.series = count_series(last)
        [resource] = self._request.resource_metrics
        self._instance = next(
            each.value for each in resource.resource.attributes if each.key == _INSTANCE
        )
        before = {_key(name, point): read_counts(kind, point) for kind, name, point in _sums(first)}
        self._gauges = [point for kind, _, point in read_points(self._request) if kind == "gauge"]
        self._counted = [
            (kind, point, _read_rates(kind, name, point, before.get(_key(name, point)), pushes))
            for kind, name, point in _sums(self._request)
        ]

    @classmethod
    def rising(cls, push: Request) -> PushTemplate:
        """Of a push before anything was counted: every count grows by one a push."""
        last = Request()
        last.CopyFrom(push)
        for kind, _, point in _sums(last):
            if kind == "histogram":
                point.bucket_counts[:] = [count + 1 for count in point.bucket_counts]
                point.sum += 1
            else:
                point.as_double = read_counts(kind, point)[0] + 1
        return cls(push, last)

    def encode(self, instance: str, number: int, at: float) -> bytes:
        """The `number`th push of this worker (the first is 0), stamped with this time in seconds
        since 1970."""
        stamp = int(at * 1e9)
        self._instance.string_value = instance
        for point in self._gauges:
            point.time_unix_nano = stamp
        for kind, point, rates in self._counted:
            point.time_unix_nano = stamp
            counts = _grow(rates, number)
            if kind == "histogram":
                point.bucket_counts[:] = [int(count) for count in counts[:-1]]
                point.count, point.sum = int(sum(counts[:-1])), counts[-1]
                for exemplar in point.exemplars:
                    exemplar.time_unix_nano = stamp
            else:
                point.as_double = counts[0]
        return bytes(self._request.SerializeToString())

    def total(self, number: int) -> float:
        """All sums and all histograms' counts of that push, added up: whole, so exact."""
        return sum(
            sum(counts[:-1]) if kind == "histogram" else counts[0]
            for kind, _, rates in self._counted
            for counts in [_grow(rates, number)]
        )


def _sums(request: Request) -> Iterator[tuple[str, str, Any]]:
    return (found for found in read_points(request) if found[0] != "gauge")


def _key(name: str, point: Any) -> Key:
    return name, tuple(sorted((each.key, str(each.value)) for each in point.attributes))


def _read_rates(
    kind: str, name: str, point: Any, before: list[float] | None, pushes: float
) -> tuple[float, ...]:
    """What is added at each push; the export's number rises by one, as the handler's does."""
    if name == DELIVERIES.name:
        return (1.0,)
    counts = read_counts(kind, point)
    earlier = before or [0.0] * len(counts)
    return tuple((now - then) / pushes for now, then in zip(counts, earlier, strict=True))


def _grow(rates: tuple[float, ...], number: int) -> list[float]:
    return [float(math.floor(rate * number + 1e-9)) for rate in rates]
