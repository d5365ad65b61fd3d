"""What is true now rather than counted: the model's card, the machine's load, the queue."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from telemetry import metrics
from telemetry.baseline import Baseline
from telemetry.metrics import Metric
from telemetry.store.sources import Source
from telemetry.system_usage import ResourceReader

# Values of one gauge by its attributes, as the SDK wants them.
Reading = tuple[float, dict[str, str]]
Gauges = Mapping[str, Callable[[], Iterable[Reading]]]


@dataclass(frozen=True)
class ModelFacts:
    """What is published of the serving model; quality figures are those of its holdout data."""

    version: str
    trained_at: float
    accuracy: float
    precision: float
    recall: float
    f1_score: float
    importance: Mapping[str, float]
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


def gauges_of(
    source: Source, model: ModelFacts, resources: ResourceReader, backlog: Callable[[], int]
) -> Gauges:
    """A function for each gauge of the table, by instrument name."""
    holdout = {"evaluation": "holdout"}
    readings: list[tuple[Metric, Callable[[], Iterable[Reading]]]] = [
        (metrics.MODEL_ACCURACY, lambda: [(model.accuracy, holdout)]),
        (metrics.MODEL_PRECISION, lambda: [(model.precision, holdout)]),
        (metrics.MODEL_RECALL, lambda: [(model.recall, holdout)]),
        (metrics.MODEL_F1, lambda: [(model.f1_score, holdout)]),
        (metrics.MODEL_VERSION, lambda: _versions(model)),
        (metrics.MODEL_TRAINED, lambda: [(model.trained_at, {})]),
        (metrics.FEATURE_IMPORTANCE, lambda: _importance(model)),
        (metrics.FEATURE_BASELINE, lambda: _feature_shares(model)),
        (metrics.SCORE_BASELINE, lambda: [(s, {"bin": b}) for b, s in _shares(model.score)]),
        (metrics.BASELINE_ROWS, lambda: [(model.baseline_rows, {})]),
        (metrics.MODEL_THRESHOLD, lambda: [(model.threshold, {})]),
        (metrics.HOLDOUT_ROWS, lambda: [(model.holdout_rows, {})]),
        (metrics.HOLDOUT_FRAUDS, lambda: [(model.holdout_frauds, {})]),
        (metrics.HOLDOUT_ALERT_RATE, lambda: [(model.holdout_alert_rate, {})]),
        (metrics.HOLDOUT_MEAN_SCORE, lambda: _known(model.holdout_mean_score)),
        (metrics.CHALLENGER_SHARE_TARGET, lambda: _known(model.challenger_share)),
        (metrics.CPU_USAGE, lambda: [(resources.read().cpu_percent, {})]),
        (metrics.MEMORY_USAGE, lambda: [(resources.read().memory_percent, {})]),
        (metrics.DISK_USAGE, lambda: [(resources.read().disk_percent, {})]),
        (metrics.THROUGHPUT, lambda: [(source.throughput(), {})]),
        (metrics.QUEUE_SIZE, lambda: [(source.in_flight() + backlog(), {})]),
    ]
    return {metric.name: reading for metric, reading in readings}


def _known(value: float | None) -> list[Reading]:
    return [] if value is None else [(value, {})]


def _shares(baseline: Baseline) -> list[tuple[str, float]]:
    return [(bin, baseline.share_of(bin)) for bin in baseline.bins()]


def _feature_shares(model: ModelFacts) -> list[Reading]:
    return [
        (share, {"feature": one.name, "bin": bin})
        for one in model.features
        for bin, share in _shares(one)
    ]


def _versions(model: ModelFacts) -> list[Reading]:
    champion = (1.0, {"version": model.version, "role": "champion"})
    if model.challenger is None:
        return [champion]
    return [champion, (1.0, {"version": model.challenger, "role": "challenger"})]


def _importance(model: ModelFacts) -> list[Reading]:
    return [
        (share, {"feature": feature, "source": "training"})
        for feature, share in model.importance.items()
    ]
