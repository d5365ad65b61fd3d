"""Active series and samples per minute of a running system, against what Grafana Cloud includes.

Grafana Cloud counts a series as active if it had a sample within the last 20 minutes, and bills the
larger of the active series and of the samples per minute that exceed one for each series. Series
of jobs that this Prometheus scrapes itself (it has an `up` of theirs) never pass the Collector.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

from prometheus.client.query import Prometheus, Sample

FREE_SERIES = 10_000
ACTIVE_WITHIN = "20m"
CLOUD_INTERVAL_SECONDS = 60


@dataclass(frozen=True)
class Budget:
    """What was counted; `sent` and `local` are active series by (job, metric)."""

    sent: Counter[tuple[str, str]]
    local: Counter[tuple[str, str]]
    instances: Counter[tuple[str, str]]
    interval_seconds: int
    limit: int

    @property
    def series(self) -> int:
        """Active series that go to the cloud."""
        return self.sent.total()

    @property
    def samples_per_minute(self) -> float:
        """Samples of those series at the push interval."""
        return self.series * 60 / self.interval_seconds

    @property
    def usage(self) -> int:
        """What is billed: series, or samples where a series has more than one a minute."""
        return math.ceil(max(self.series, self.samples_per_minute))

    @property
    def is_within_limit(self) -> bool:
        """True if the usage is within the limit."""
        return self.usage <= self.limit

    @property
    def per_instance(self) -> int:
        """Series that one more worker brings: those of the instance that has most."""
        return max(self.instances.values(), default=0)

    @property
    def instances_that_fit(self) -> int:
        """Instances of that size within the limit."""
        shared = self.series - self.instances.total()
        factor = max(1.0, 60 / self.interval_seconds)
        return max(0, int((self.limit / factor - shared) // max(1, self.per_instance)))


def measure(
    prometheus: Prometheus,
    at: float | None = None,
    interval_seconds: int = CLOUD_INTERVAL_SECONDS,
    limit: int = FREE_SERIES,
) -> Budget:
    """Count the active series of a Prometheus, at a time in seconds since 1970 (now by default)."""
    active = f'last_over_time({{__name__=~".+"}}[{ACTIVE_WITHIN}])'
    scraped = prometheus.query(f"group by (job) (last_over_time(up[{ACTIVE_WITHIN}]))", at)
    here = {_job(sample) for sample in scraped}
    by_metric = prometheus.query(f"count by (job, __name__) ({active})", at)
    by_instance = prometheus.query(f"count by (job, instance) ({active})", at)
    return Budget(
        sent=_count_series(by_metric, "__name__", lambda job: job not in here),
        local=_count_series(by_metric, "__name__", lambda job: job in here),
        instances=_count_series(by_instance, "instance", lambda job: job not in here),
        interval_seconds=interval_seconds,
        limit=limit,
    )


def _count_series(
    samples: list[Sample], label: str, wanted: Callable[[str], bool]
) -> Counter[tuple[str, str]]:
    return Counter(
        {
            (_job(one), one.labels[label]): int(one.value)
            for one in samples
            if label in one.labels and wanted(_job(one))
        }
    )


def _job(sample: Sample) -> str:
    return sample.labels.get("job", "(none)")
