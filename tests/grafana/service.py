"""A handler in miniature: requests with known truth, and the series that its workers would push.

Series, units, bounds and the label sets that exist at 0 are those of `telemetry/metrics.py`; they
go to a real Prometheus by its OTLP receiver, stamped with the time that the test chooses.
"""

from __future__ import annotations

import json
import random
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from prometheus.client.http import Client
from telemetry import metrics
from telemetry.card_labels import fill_card_labels
from telemetry.metrics import Kind, Labels, Metric
from tests.conftest import FACTS

PUSH_SECONDS = 15


@dataclass(frozen=True)
class Request:
    """One answered request; a refused one has no class."""

    at: float
    worker: int
    endpoint: str
    status: str
    seconds: float
    class_name: str = ""
    euros: float = 0.0

    @property
    def method(self) -> str:
        return "POST" if self.endpoint in metrics.SCORING_ENDPOINTS else "GET"


@dataclass(frozen=True)
class Worker:
    """One pushing worker and what its gauges say."""

    instance: str
    version: str
    gauges: dict[str, float] = field(default_factory=dict)


def traffic(seed: int, start: float, end: float, rate: float, workers: int) -> list[Request]:
    """Poisson arrivals: scored transactions, one in fifty refused, a health probe in ten."""
    chance = random.Random(seed)
    requests: list[Request] = []
    now = start + chance.expovariate(rate)
    while now <= end:
        requests.append(_request(chance, now, chance.randrange(workers)))
        now += chance.expovariate(rate)
    return requests


def _request(chance: random.Random, at: float, worker: int) -> Request:
    seconds = chance.lognormvariate(-6, 1)
    kind = chance.random()
    if kind < 0.1:
        return Request(at, worker, "/health", "200", seconds)
    if kind < 0.12:
        return Request(at, worker, "/predict", "400", seconds)
    if kind < 0.13:
        return Request(at, worker, "/predict", "500", seconds)
    endpoint = "/predict" if kind < 0.95 else "/simulate_traffic"
    class_name = "fraud" if chance.random() < 0.06 else "legitimate"
    euros = chance.lognormvariate(4, 1.5)
    return Request(at, worker, endpoint, "200", seconds, class_name, euros)


COUNTED = fill_card_labels(FACTS.features, FACTS.score, FACTS.slots)


class Service:
    """The counters of some workers, pushed at moments of the test's choice.

    With `already` each known series of a counter starts there, as in a service that has run long.
    """

    def __init__(self, client: Client, workers: Sequence[Worker], already: int = 0) -> None:
        self._client = client
        self.workers = list(workers)
        self._counts: list[dict[tuple[str, Labels], list[float]]] = [
            {
                (metric.name, labels): [float(already)] * (len(metric.bounds) + 1)
                for metric in COUNTED
                for labels in metric.combinations()
                if metric.is_known(labels)
            }
            for _ in workers
        ]

    def count(self, requests: Iterable[Request]) -> None:
        """Count as `telemetry.recorder` does."""
        for one in requests:
            counts = self._counts[one.worker]
            self._add(counts, metrics.HTTP_REQUESTS, (one.method, one.endpoint, one.status))
            self._add(counts, metrics.HTTP_DURATION, (one.method, one.endpoint), one.seconds)
            if one.class_name:
                labels = (one.class_name, "standard", one.endpoint, "low")
                self._add(counts, metrics.PREDICTIONS, labels)
                band = "high" if one.euros >= 1000 else "low"
                self._add(counts, metrics.TRANSACTION_VALUE, (band,), one.euros)
            elif one.status != "200":
                kind = "internal" if one.status == "500" else "out_of_range"
                self._add(counts, metrics.ERRORS, (kind, one.endpoint))

    def upgrade(self, worker: int, version: str, **gauges: float) -> None:
        """The worker serves another model from now on."""
        self.workers[worker] = replace(self.workers[worker], version=version, gauges=gauges)

    def push(self, at: float) -> None:
        """Every worker sends its numbers, stamped with that moment."""
        for worker, counts in zip(self.workers, self._counts, strict=True):
            self._push(worker, self._metrics(worker, counts, int(at * 1e9)))

    def series(self) -> int:
        """Series that the workers have brought into being, as Prometheus stores them."""
        total = 0
        for counts in self._counts:
            for name, _ in counts:
                metric = next(one for one in COUNTED if one.name == name)
                # a histogram: its buckets, +Inf, sum and count
                total += len(metric.bounds) + 3 if metric.kind is Kind.HISTOGRAM else 1
            total += len(GAUGES)
        return total

    def _push(self, worker: Worker, sent: list[dict[str, Any]]) -> None:
        resource = {"service.name": "fraud-handler", "service.instance.id": worker.instance}
        body = {
            "resourceMetrics": [
                {
                    "resource": {"attributes": _attributes(resource)},
                    "scopeMetrics": [{"scope": {"name": "telemetry"}, "metrics": sent}],
                }
            ]
        }
        answer = self._client.send(
            "POST", "/api/v1/otlp/v1/metrics", json.dumps(body).encode(), "application/json"
        )
        assert answer.status == 200, answer.body

    def _metrics(
        self, worker: Worker, counts: dict[tuple[str, Labels], list[float]], now: int
    ) -> list[dict[str, Any]]:
        sent = [_counted(metric, counts, now) for metric in COUNTED]
        for metric, attributes, default in GAUGES:
            served = {"version": worker.version} if metric is metrics.MODEL_VERSION else {}
            point = {
                "attributes": _attributes({**attributes, **served}),
                "timeUnixNano": str(now),
                "asDouble": worker.gauges.get(metric.exposed, default),
            }
            gauge = {"dataPoints": [point]}
            sent.append({"name": metric.name, "unit": metric.unit, "gauge": gauge})
        return sent

    @staticmethod
    def _add(
        counts: dict[tuple[str, Labels], list[float]],
        metric: Metric,
        labels: Labels,
        value: float = 0.0,
    ) -> None:
        cells = counts.setdefault((metric.name, labels), [0.0] * (len(metric.bounds) + 1))
        cells[bisect_left(metric.bounds, value) if metric.bounds else 0] += 1


_HOLDOUT = {"evaluation": "holdout"}
GAUGES: tuple[tuple[Metric, dict[str, str], float], ...] = (
    (metrics.MODEL_ACCURACY, _HOLDOUT, 0.98),
    (metrics.MODEL_PRECISION, _HOLDOUT, 0.8),
    (metrics.MODEL_RECALL, _HOLDOUT, 0.7),
    (metrics.MODEL_F1, _HOLDOUT, 0.75),
    (metrics.MODEL_VERSION, {"role": "champion"}, 1),
    (metrics.MODEL_TRAINED, {}, 1.7e9),
    (metrics.CPU_USAGE, {}, 12.5),
    (metrics.MEMORY_USAGE, {}, 40.0),
    (metrics.DISK_USAGE, {}, 55.0),
    (metrics.THROUGHPUT, {}, 0.3),
    (metrics.QUEUE_SIZE, {}, 0),
    (metrics.FEATURE_IMPORTANCE, {"feature": "amount", "source": "training"}, 0.5),
    (metrics.FEATURE_BASELINE, {"feature": "amount", "bin": "01"}, 0.1),
)


def _counted(
    metric: Metric, counts: dict[tuple[str, Labels], list[float]], now: int
) -> dict[str, Any]:
    points = [
        _point(metric, labels, cells, now)
        for (name, labels), cells in counts.items()
        if name == metric.name
    ]
    cumulative = {"aggregationTemporality": 2, "dataPoints": points}
    if metric.kind is Kind.HISTOGRAM:
        return {"name": metric.name, "unit": metric.unit, "histogram": cumulative}
    return {"name": metric.name, "unit": metric.unit, "sum": {**cumulative, "isMonotonic": True}}


def _point(metric: Metric, labels: Labels, cells: list[float], now: int) -> dict[str, Any]:
    point: dict[str, Any] = {
        "attributes": _attributes(dict(zip(metric.labels, labels, strict=True))),
        "startTimeUnixNano": "1",
        "timeUnixNano": str(now),
    }
    if metric.kind is Kind.COUNTER:
        return {**point, "asDouble": cells[0]}
    exemplar = {
        "timeUnixNano": str(now),
        "asDouble": metric.bounds[0],
        "traceId": "0af7651916cd43dd8448eb211c80319c",
        "spanId": "b7ad6b7169203331",
    }
    return {
        **point,
        "count": str(int(sum(cells))),
        "sum": 0.0,
        "bucketCounts": [str(int(cell)) for cell in cells],
        "explicitBounds": list(metric.bounds),
        "exemplars": [exemplar],
    }


def _attributes(values: dict[str, str]) -> list[dict[str, Any]]:
    return [{"key": name, "value": {"stringValue": value}} for name, value in values.items()]


def tally(requests: Iterable[Request], since: float, until: float) -> Counter[str]:
    """Requests after `since` up to `until`, counted by what the panels ask for."""
    found: Counter[str] = Counter()
    for one in requests:
        if since < one.at <= until:
            found["scored"] += bool(one.class_name)
            found["fraud"] += one.class_name == "fraud"
            asked = not one.endpoint.startswith("/health")
            found["asked"] += asked
            found["refused"] += asked and one.status.startswith("4")
            found["failed"] += asked and one.status.startswith("5")
    return found
