"""The table's metrics with the label values that come from the model card: features and bins."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from telemetry.baseline import Baseline
from telemetry.metrics import METRICS, Kind, Metric


def fill_card_labels(features: Sequence[Baseline], score: Baseline) -> tuple[Metric, ...]:
    """The table's counters and histograms, in its order, every label with its closed set."""
    return tuple(_fill(each, features, score) for each in METRICS if each.kind is not Kind.GAUGE)


def _fill(metric: Metric, features: Sequence[Baseline], score: Baseline) -> Metric:
    if metric.labels.get("bin") == ():
        if "feature" in metric.labels:
            pairs = tuple((one.name, bin) for one in features for bin in one.bins())
            return replace(metric, listed=pairs)
        return replace(metric, listed=tuple((bin,) for bin in score.bins()))
    if metric.labels.get("feature") == ():
        names = tuple(one.name for one in features)
        return replace(metric, labels={**metric.labels, "feature": names})
    return metric
