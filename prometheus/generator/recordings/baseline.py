"""The model's baseline and holdout as last seen in a window, and how many models it has seen.

Gauges may be silent, so they are read as last seen. With one model in the window they are that
model's, though an instance be gone.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from prometheus.generator.durations import Durations
from prometheus.generator.promql import OF_CHAMPION, last_max
from prometheus.generator.rule import Record

# Of the holdout; recorded for each window of the drift.
HOLDOUT = (
    "model_holdout_rows",
    "model_holdout_frauds",
    "model_holdout_alert_rate",
    "model_holdout_mean_score",
)


@dataclass(frozen=True)
class Distribution:
    """A counter by bin, the gauge of its baseline, and the gauge of the rows behind it."""

    level: str
    counter: str
    baseline: str
    rows: str

    @property
    def labels(self) -> str:
        """Labels that tell one distribution from another."""
        return "job, feature" if self.level == "feature" else "job"

    def baseline_share(self, window: str) -> str:
        """Name of the recorded baseline share by bin."""
        return f"{self.level}_bin:{self.baseline}:last{window}"

    def baseline_rows(self, window: str) -> str:
        """Name of the recorded rows behind the baseline."""
        return last(self.rows, window)

    def name(self, operation: str, window: str, bins: bool = False) -> str:
        """Name of a recorded series."""
        return f"{self.level}{'_bin' if bins else ''}:{self.counter}:{operation}{window}"


FEATURES = Distribution("feature", "feature_values", "feature_baseline_share", "baseline_rows")
SCORE = Distribution("job", "score_values", "score_baseline_share", "model_holdout_rows")
DISTRIBUTIONS = (FEATURES, SCORE)


def last(gauge: str, window: str) -> str:
    """Name of the recorded gauge of the job, as last seen in the window."""
    return f"job:{gauge}:last{window}"


def record_baseline(window: str, durations: Durations) -> Iterator[Record]:
    """What the statistics of a window are compared with."""
    span = durations(window)
    yield record_versions(window, durations)
    # Each bin's share in the baseline.
    for each in DISTRIBUTIONS:
        shares = f"max by ({each.labels}, bin) (last_over_time({each.baseline}[{span}]))"
        yield Record(each.baseline_share(window), shares)
    # The rows behind the baselines, and the holdout's figures.
    for gauge in ("baseline_rows", *HOLDOUT):
        yield Record(last(gauge, window), last_max(gauge, span))


def record_versions(window: str, durations: Durations) -> Record:
    """How many versions of the champion the window has seen."""
    versions = f"last_over_time(model_version{{{OF_CHAMPION}}}[{durations(window)}])"
    return Record(_versions(window), f"count by (job) (count by (job, version) ({versions}))")


def unless_two_models(window: str) -> str:
    """Ends an expression: nothing where the window has seen more than one version."""
    return f"unless on (job) ({_versions(window)} > 1)"


def _versions(window: str) -> str:
    return f"job:model_versions:count{window}"
