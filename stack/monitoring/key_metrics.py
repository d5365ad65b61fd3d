"""The key metrics of the live line, asked of Prometheus or, without one, read from /metrics."""

from __future__ import annotations

import math
import re
import time
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from prometheus.client.errors import RequestError
from prometheus.client.http import bearer
from prometheus.client.query import Prometheus
from stack.monitoring.http import get_text, local_client

RATE_SECONDS = 60.0
_QUERIES = {
    "total": "sum(predictions_total)",
    "rate": "sum(rate(predictions_total[1m]))",
    "fraud_share": (
        'sum(rate(predictions_total{class_name="fraud"}[5m])) / sum(rate(predictions_total[5m]))'
    ),
    "p95_seconds": (
        "histogram_quantile(0.95, sum by (le)"
        ' (rate(http_request_duration_seconds_bucket{endpoint="/predict"}[5m])))'
    ),
}
_SAMPLE = re.compile(r"^(\w+)(?:\{(.*)\})? (\S+)")
_LABEL = re.compile(r'(\w+)="((?:[^"\\]|\\.)*)"')


@dataclass(frozen=True)
class KeyMetrics:
    """None where there is no such figure yet."""

    total: float | None = None
    """Predictions counted so far."""
    rate: float | None = None
    """Predictions per second, over the last minute."""
    fraud_share: float | None = None
    """0 to 1, over the last five minutes."""
    p95_seconds: float | None = None
    """Of the answers to /predict, over the last five minutes."""

    def line(self) -> str:
        """The key metrics for people."""
        rate = _format(self.rate, "{:.2f}")
        share = _format(self.fraud_share, "{:.1%}")
        milliseconds = None if self.p95_seconds is None else 1000 * self.p95_seconds
        p95 = _format(milliseconds, "{:.1f} ms")
        total = _format(self.total, "{:,.0f}")
        return f"{rate} predictions/s · fraud {share} · p95 {p95} · {total} in all"


def _format(value: float | None, form: str) -> str:
    return "?" if value is None else form.format(value)


class Source(Protocol):
    """Where key metrics come from."""

    def read(self) -> KeyMetrics:
        """The key metrics now; empty while there is no answer."""


@dataclass(frozen=True)
class PrometheusSource:
    """Asks a Prometheus by PromQL."""

    url: str

    def read(self) -> KeyMetrics:
        """The key metrics now; empty while there is no answer."""
        return KeyMetrics(**{name: self._ask(query) for name, query in _QUERIES.items()})

    def _ask(self, query: str) -> float | None:
        try:
            samples = Prometheus(local_client(self.url)).query(query)
        except RequestError:
            return None
        return samples[0].value if samples and samples[0].is_number else None


@dataclass
class MetricsPageSource:
    """Reads the handler's /metrics; the share and the p95 are those since the handler's start."""

    url: str
    token: str = ""
    _seen: deque[tuple[float, float]] = field(default_factory=deque)

    def read(self) -> KeyMetrics:
        """The key metrics now; empty while there is no answer."""
        page = get_text(f"{self.url}/metrics", bearer(self.token) if self.token else None)
        if page is None:
            return KeyMetrics()
        samples = list(_parse_samples(page))
        predictions = [s for s in samples if s.name == "predictions_total"]
        total = sum(s.value for s in predictions)
        fraud = sum(s.value for s in predictions if s.labels.get("class_name") == "fraud")
        return KeyMetrics(
            total=total if predictions else None,
            rate=self._rate(time.monotonic(), total),
            fraud_share=fraud / total if total else None,
            p95_seconds=quantile(0.95, _latency_buckets(samples)),
        )

    def _rate(self, now: float, total: float) -> float | None:
        if self._seen and total < self._seen[-1][1]:
            self._seen.clear()
        self._seen.append((now, total))
        while now - self._seen[0][0] > RATE_SECONDS:
            self._seen.popleft()
        then, before = self._seen[0]
        return (total - before) / (now - then) if now > then else None


@dataclass(frozen=True)
class _Sample:
    name: str
    labels: Mapping[str, str]
    value: float


def _parse_samples(page: str) -> list[_Sample]:
    found = (_SAMPLE.match(line) for line in page.splitlines())
    return [_Sample(m[1], dict(_LABEL.findall(m[2] or "")), float(m[3])) for m in found if m]


def _latency_buckets(samples: list[_Sample]) -> dict[float, float]:
    counts: dict[float, float] = {}
    for sample in samples:
        if (
            sample.name == "http_request_duration_seconds_bucket"
            and sample.labels.get("endpoint") == "/predict"
        ):
            bound = float(sample.labels["le"])
            counts[bound] = counts.get(bound, 0.0) + sample.value
    return counts


def quantile(share: float, buckets: Mapping[float, float]) -> float | None:
    """Prometheus' histogram_quantile over cumulative buckets {upper bound: count}."""
    bounds = sorted(buckets)
    if not bounds or not buckets[bounds[-1]]:
        return None
    wanted = share * buckets[bounds[-1]]
    lower, below = 0.0, 0.0
    for bound in bounds:
        count = buckets[bound]
        if count >= wanted:
            inside = count - below
            # The last bucket has no upper bound: its lower one is all that is known.
            if math.isinf(bound):
                return lower
            return lower + (bound - lower) * (wanted - below) / inside if inside else bound
        lower, below = bound, count
    return lower
