"""What is true now rather than counted: the model's card, the machine's load, the queue."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from telemetry import table
from telemetry.baseline import Baseline
from telemetry.resources import ResourceReader
from telemetry.sources import Source
from telemetry.table import Metric

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
        (table.MODEL_ACCURACY, lambda: [(model.accuracy, holdout)]),
        (table.MODEL_PRECISION, lambda: [(model.precision, holdout)]),
        (table.MODEL_RECALL, lambda: [(model.recall, holdout)]),
        (table.MODEL_F1, lambda: [(model.f1_score, holdout)]),
        (table.MODEL_VERSION, lambda: _versions(model)),
        (table.MODEL_TRAINED, lambda: [(model.trained_at, {})]),
        (table.FEATURE_IMPORTANCE, lambda: _importance(model)),
        (table.FEATURE_BASELINE, lambda: _feature_shares(model)),
        (table.SCORE_BASELINE, lambda: [(s, {"bin": b}) for b, s in _shares(model.score)]),
        (table.BASELINE_ROWS, lambda: [(model.baseline_rows, {})]),
        (table.MODEL_THRESHOLD, lambda: [(model.threshold, {})]),
        (table.HOLDOUT_ROWS, lambda: [(model.holdout_rows, {})]),
        (table.HOLDOUT_FRAUDS, lambda: [(model.holdout_frauds, {})]),
        (table.HOLDOUT_ALERT_RATE, lambda: [(model.holdout_alert_rate, {})]),
        (table.HOLDOUT_MEAN_SCORE, lambda: _known(model.holdout_mean_score)),
        (table.CHALLENGER_SHARE_TARGET, lambda: _known(model.challenger_share)),
        (table.CPU_USAGE, lambda: [(resources.read().cpu_percent, {})]),
        (table.MEMORY_USAGE, lambda: [(resources.read().memory_percent, {})]),
        (table.DISK_USAGE, lambda: [(resources.read().disk_percent, {})]),
        (table.THROUGHPUT, lambda: [(source.throughput(), {})]),
        (table.QUEUE_SIZE, lambda: [(source.in_flight() + backlog(), {})]),
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
