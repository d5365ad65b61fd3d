"""The key metrics of the live line, asked of the handler; what Prometheus has of them."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

import msgspec

from prometheus.client.errors import RequestError
from prometheus.client.http import bearer
from prometheus.client.query import Prometheus, select_job
from stack.monitoring.http import get_text, local_client

RATE_SECONDS = 60.0
SHARE_SECONDS = 300.0


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
    """Asks a Prometheus for the total: when that grows, the whole way of a count works.

    The total of the service that the handler says it is; of all while it does not say.
    """

    url: str
    handler: StatsSource

    def read(self) -> KeyMetrics:
        """The total now; empty while there is no answer."""
        try:
            job = self.handler.ask_job()
            total = f"sum(predictions_total{select_job(job) if job else ''})"
            samples = Prometheus(local_client(self.url)).query(total)
        except RequestError:
            return KeyMetrics()
        return KeyMetrics(samples[0].value if samples and samples[0].is_number else None)


class _Counts(msgspec.Struct, frozen=True):
    """What /stats answers: counts since the counters began."""

    time: float = 0.0
    job: str = ""
    predictions: dict[str, int] = {}
    predict_seconds: dict[str, int] = {}

    @property
    def total(self) -> int:
        return sum(self.predictions.values())

    @property
    def fraud(self) -> int:
        return self.predictions.get("fraud", 0)

    def buckets_since(self, before: _Counts) -> dict[float, float]:
        """Cumulative counts by upper bound in seconds."""
        return {
            float(bound): count - before.predict_seconds.get(bound, 0)
            for bound, count in self.predict_seconds.items()
        }


@dataclass
class StatsSource:
    """Asks the handler's /stats, as its start page does: no Prometheus is needed.

    The share and the p95 are of the last five minutes, or of the whole time while nothing came.
    """

    url: str
    token: str = ""
    _seen: deque[_Counts] = field(default_factory=deque)

    def read(self) -> KeyMetrics:
        """The key metrics now; empty while there is no answer."""
        now = self._ask()
        if now is None:
            return KeyMetrics()
        self._remember(now)
        before = next((one for one in self._seen if now.time - one.time <= RATE_SECONDS), now)
        seconds = now.time - before.time
        since = self._seen[0] if self._seen[0].total < now.total else _Counts()
        scored = now.total - since.total
        return KeyMetrics(
            total=now.total,
            rate=(now.total - before.total) / seconds if seconds > 0 else None,
            fraud_share=(now.fraud - since.fraud) / scored if scored else None,
            p95_seconds=quantile(0.95, now.buckets_since(since)),
        )

    def ask_job(self) -> str:
        """The label `job` of this service in the store; empty while it does not say."""
        now = self._ask()
        return now.job if now else ""

    def _ask(self) -> _Counts | None:
        text = get_text(f"{self.url}/stats", bearer(self.token) if self.token else None)
        try:
            return msgspec.json.decode(text or "", type=_Counts)
        except msgspec.DecodeError:
            return None

    def _remember(self, now: _Counts) -> None:
        if self._seen and now.total < self._seen[-1].total:
            self._seen.clear()
        self._seen.append(now)
        while now.time - self._seen[0].time > SHARE_SECONDS:
            self._seen.popleft()


def ask_handler(url: str, environ: Mapping[str, str]) -> StatsSource:
    """The handler's own figures, with the token that opens them where one is set."""
    given = environ.get("METRICS_TOKEN") or environ.get("ACCESS_TOKEN") or ""
    return StatsSource(url, given.split(",")[0].strip())


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
