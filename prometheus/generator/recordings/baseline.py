"""The model's baseline and holdout as last seen in a window, and the versions that it has seen.

Each instance shows the baseline of the version that it serves, and counts in that version's slot
(model/serving/version_slots.py): so counts and baseline of a slot are of one version, and where a
window has several, after a rollout or beside a replica that is stuck, each is compared with its
own. Gauges may be silent, so they are read as last seen, though an instance be gone.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from prometheus.generator.durations import Durations
from prometheus.generator.promql import OF_CHAMPION, VERSION, last_max
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
        return f"{VERSION}, feature" if self.level == "feature" else VERSION

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


def follows_calendar(window: str) -> str:
    """Name of the recorded features whose values follow the hour or the day of the week."""
    return f"feature:feature_calendar:last{window}"


def last(gauge: str, window: str) -> str:
    """Name of the recorded gauge of the job's version, as last seen in the window."""
    return f"job:{gauge}:last{window}"


def record_baseline(window: str, durations: Durations) -> Iterator[Record]:
    """What the statistics of a window are compared with."""
    span = durations(window)
    yield record_versions(window, durations)
    # Each bin's share in the baseline.
    for each in DISTRIBUTIONS:
        shares = f"max by ({each.labels}, bin) (last_over_time({each.baseline}[{span}]))"
        yield Record(each.baseline_share(window), shares)
    # The features that follow the calendar.
    calendar = f"max by ({FEATURES.labels}) (last_over_time(feature_calendar[{span}])) == 1"
    yield Record(follows_calendar(window), calendar)
    # The rows behind the baselines, and the holdout's figures.
    for gauge in ("baseline_rows", *HOLDOUT):
        yield Record(last(gauge, window), last_max(gauge, span, VERSION))


def record_versions(window: str, durations: Durations) -> Record:
    """Which version of the champion each slot stands for; none where two share it."""
    seen = f"last_over_time(model_version{{{OF_CHAMPION}}}[{durations(window)}])"
    versions = f"max by ({VERSION}, version) ({seen})"
    shared = f"(count by ({VERSION}) ({versions}) > 1)"
    return Record(versions_seen(window), f"{versions}\nunless on ({VERSION}) {shared}")


def unless_two_models(window: str) -> str:
    """Ends an expression: nothing where the window has seen two versions in the same slot."""
    return f"and on ({VERSION}) {versions_seen(window)}"


def with_version(condition: str, versions: str) -> str:
    """The alert's condition for the versions of a series that has the label `version`."""
    return f"({condition})\n* on ({VERSION}) group_left (version) {versions}"


def versions_seen(window: str) -> str:
    """Name of the series of the versions that the window has seen; with the label `version`."""
    return f"job:model_version:last{window}"
