"""What is true now rather than counted: the model's card, the machine's load, the queue."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from opentelemetry.metrics import Observation

from model.serving.version_slots import find_version_slot
from telemetry import metrics
from telemetry.baseline import Baseline
from telemetry.card_labels import LoadedSlots
from telemetry.metrics import CHALLENGER, CHAMPION, HOLDOUT, TRAINING, Metric
from telemetry.store.sources import Source
from telemetry.system_usage import SystemUsageReader

Observe = Callable[[], Iterable[Observation]]
Gauges = Mapping[str, Observe]


@dataclass(frozen=True)
class ModelMetadata:
    """What is published of the serving model; quality figures are those of its holdout data.

    `previous` is the champion before this one, whose labels still come.
    """

    version: str
    trained_at: float
    accuracy: float
    precision: float
    recall: float
    f1_score: float
    importance: Mapping[str, float]
    contributions: Mapping[str, float]
    features: tuple[Baseline, ...]
    score: Baseline
    baseline_rows: int
    threshold: float
    holdout_rows: int
    holdout_frauds: int
    holdout_alert_rate: float
    holdout_mean_score: float | None
    challenger: str | None = None
    challenger_share: float | None = None
    previous: str | None = None

    @property
    def slots(self) -> LoadedSlots:
        """The slots of the versions."""
        roles = (
            (CHAMPION, self.version),
            (CHALLENGER, self.challenger),
            (CHAMPION, self.previous),
        )
        labelled = {(role, find_version_slot(one)) for role, one in roles if one is not None}
        return LoadedSlots(find_version_slot(self.version), labelled)


def build_gauges(
    source: Source, model: ModelMetadata, usage: SystemUsageReader, count_backlog: Callable[[], int]
) -> Gauges:
    """A function for each gauge of the table, by instrument name."""
    own = {"version_slot": model.slots.champion}
    holdout = {"evaluation": HOLDOUT, **own}
    gauges: list[tuple[Metric, Observe]] = [
        (metrics.MODEL_ACCURACY, lambda: _observe(model.accuracy, holdout)),
        (metrics.MODEL_PRECISION, lambda: _observe(model.precision, holdout)),
        (metrics.MODEL_RECALL, lambda: _observe(model.recall, holdout)),
        (metrics.MODEL_F1, lambda: _observe(model.f1_score, holdout)),
        (metrics.MODEL_VERSION, lambda: _observe_versions(model)),
        (metrics.MODEL_TRAINED, lambda: _observe(model.trained_at)),
        (metrics.FEATURE_IMPORTANCE, lambda: _observe_importance(model)),
        (metrics.HOLDOUT_CONTRIBUTION, lambda: _observe_contributions(model, own)),
        (metrics.FEATURE_BASELINE, lambda: _observe_feature_shares(model, own)),
        (metrics.FEATURE_CALENDAR, lambda: _observe_calendar(model, own)),
        (metrics.SCORE_BASELINE, lambda: _observe_shares(model.score, own)),
        (metrics.BASELINE_ROWS, lambda: _observe(model.baseline_rows, own)),
        (metrics.MODEL_THRESHOLD, lambda: _observe(model.threshold)),
        (metrics.HOLDOUT_ROWS, lambda: _observe(model.holdout_rows, own)),
        (metrics.HOLDOUT_FRAUDS, lambda: _observe(model.holdout_frauds, own)),
        (metrics.HOLDOUT_ALERT_RATE, lambda: _observe(model.holdout_alert_rate, own)),
        (metrics.HOLDOUT_MEAN_SCORE, lambda: _observe(model.holdout_mean_score, own)),
        (metrics.CHALLENGER_SHARE_TARGET, lambda: _observe(model.challenger_share)),
        (metrics.CPU_USAGE, lambda: _observe(usage.read().cpu_percent)),
        (metrics.MEMORY_USAGE, lambda: _observe(usage.read().memory_percent)),
        (metrics.DISK_USAGE, lambda: _observe(usage.read().disk_percent)),
        (metrics.THROUGHPUT, lambda: _observe(source.throughput())),
        (metrics.QUEUE_SIZE, lambda: _observe(source.in_flight() + count_backlog())),
    ]
    return {metric.name: observe for metric, observe in gauges}


def _observe(value: float | None, labels: Mapping[str, str] | None = None) -> list[Observation]:
    """One series; none where the value is not known."""
    return [] if value is None else [Observation(value, labels)]


def _observe_versions(model: ModelMetadata) -> list[Observation]:
    versions = {CHAMPION: model.version, CHALLENGER: model.challenger}
    return [
        Observation(
            1.0, {"version": version, "role": role, "version_slot": find_version_slot(version)}
        )
        for role, version in versions.items()
        if version is not None
    ]


def _observe_importance(model: ModelMetadata) -> list[Observation]:
    return [
        Observation(share, {"feature": feature, "source": TRAINING})
        for feature, share in model.importance.items()
    ]


def _observe_calendar(model: ModelMetadata, own: Mapping[str, str]) -> list[Observation]:
    return [
        Observation(float(one.calendar), {"feature": one.name, **own}) for one in model.features
    ]


def _observe_contributions(model: ModelMetadata, own: Mapping[str, str]) -> list[Observation]:
    return [
        Observation(mean, {"feature": feature, **own})
        for feature, mean in model.contributions.items()
    ]


def _observe_feature_shares(model: ModelMetadata, own: Mapping[str, str]) -> list[Observation]:
    return [
        observation
        for one in model.features
        for observation in _observe_shares(one, {"feature": one.name, **own})
    ]


def _observe_shares(baseline: Baseline, labels: Mapping[str, str]) -> list[Observation]:
    return [
        Observation(baseline.share_of(bin), {**labels, "bin": bin, "range": baseline.range_of(bin)})
        for bin in baseline.bins()
    ]
