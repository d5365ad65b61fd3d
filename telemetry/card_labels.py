"""The table's metrics with the label values that come from the models that are loaded: features,
bins, and which slots of versions exist from the start."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

from telemetry.baseline import Baseline
from telemetry.metrics import METRICS, OF_VERSION, Kind, Labels, Metric


@dataclass(frozen=True)
class LoadedSlots:
    """The slot of the champion, and each (role, slot) whose labels are to be expected."""

    champion: str
    labelled: Collection[tuple[str, str]]

    def exists(self, metric: Metric, labels: Labels) -> bool:
        """True where the series of a version is there from the start."""
        values = dict(zip(metric.labels, labels, strict=True))
        [slot] = (values[label] for label in OF_VERSION)
        if "role" in values:
            return (values["role"], slot) in self.labelled
        return slot == self.champion


def fill_card_labels(
    features: Sequence[Baseline], score: Baseline, slots: LoadedSlots
) -> tuple[Metric, ...]:
    """The table's counters and histograms, in its order, every label with its closed set."""
    counted = (each for each in METRICS if each.kind is not Kind.GAUGE)
    return tuple(_limit(_fill(each, features, score), slots) for each in counted)


def _fill(metric: Metric, features: Sequence[Baseline], score: Baseline) -> Metric:
    if metric.labels.get("bin") == ():
        [slots] = OF_VERSION.values()
        if "feature" in metric.labels:
            pairs = [(one.name, bin) for one in features for bin in one.bins()]
            return replace(metric, listed=tuple((*pair, slot) for slot in slots for pair in pairs))
        listed = tuple((bin, slot) for slot in slots for bin in score.bins())
        return replace(metric, listed=listed)
    if metric.labels.get("feature") == ():
        names = tuple(one.name for one in features)
        return replace(metric, labels={**metric.labels, "feature": names})
    return metric


def _limit(metric: Metric, slots: LoadedSlots) -> Metric:
    """Known are only the series of the slots that are loaded."""
    if not OF_VERSION.keys() <= metric.labels.keys():
        return metric
    known = (labels for labels in metric.combinations() if slots.exists(metric, labels))
    return replace(metric, known=frozenset(known))
