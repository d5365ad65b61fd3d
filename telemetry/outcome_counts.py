"""What is counted of a labelled prediction."""

from __future__ import annotations

from bisect import bisect_left

import msgspec

from model.serving.outcome_bins import OUTCOME_BOUNDS
from model.serving.vocabulary import FRAUD
from telemetry import metrics
from telemetry.metrics import CHAMPION
from telemetry.store.layout import Layout
from telemetry.store.series_cells import Counts, Distribution


class Outcome(msgspec.Struct, frozen=True, rename={"label": "truth"}):
    """A labelled prediction: `label` is its true class, `delay` the seconds until it was known.

    `other_class_name` is the decision of the model in the other role, where that is known, `cohort`
    the slot of the prediction's week unless it is too old; `version_slot` that of the version that
    answered (None: the champion's, in what an earlier program stored). Written to the store of used
    receipts as JSON, so its names there must stay.
    """

    role: str
    class_name: str
    label: str
    user_type: str
    value_band: str
    probability: float
    delay: float
    other_class_name: str | None = None
    cohort: str | None = None
    version_slot: str | None = None


def find_age_band(seconds: float) -> str:
    """The band of AGE_BANDS of a prediction of this age."""
    return next(band for band, bound in metrics.AGE_BANDS.items() if seconds < bound)


class OutcomeCounts:
    """The cells of everything that is counted of outcomes; `version_slot` is the champion's."""

    def __init__(self, layout: Layout, version_slot: str) -> None:
        self._version_slot = version_slot
        self._outcomes = Counts(layout, metrics.OUTCOMES)
        self._paired = Counts(layout, metrics.PAIRED_OUTCOMES)
        self._paired_by_cohort = Counts(layout, metrics.PAIRED_COHORT_OUTCOMES)
        self._scores = Counts(layout, metrics.OUTCOME_SCORES)
        self._probability = Counts(layout, metrics.OUTCOME_PROBABILITY)
        self._squared_error = Counts(layout, metrics.OUTCOME_SQUARED_ERROR)
        self._delays = Distribution(layout, metrics.OUTCOME_DELAY)
        self._ages = Counts(layout, metrics.OUTCOME_AGES)

    def add(self, cells: memoryview[float], one: Outcome) -> None:
        """Count one outcome."""
        slot = one.version_slot or self._version_slot
        labels = (one.role, one.class_name, one.label, one.user_type, one.value_band, slot)
        self._outcomes.add(cells, labels)
        if one.role == CHAMPION:
            self._add_score(cells, one, slot)
            self._delays.add(cells, (), one.delay)
            self._ages.add(cells, (one.class_name, one.label, find_age_band(one.delay), slot))
        if one.other_class_name is not None:
            self._add_pair(cells, one, one.other_class_name)

    def _add_score(self, cells: memoryview[float], one: Outcome, slot: str) -> None:
        last = len(metrics.OUTCOME_BINS) - 1
        place = min(last, bisect_left(OUTCOME_BOUNDS, one.probability))
        bin = metrics.OUTCOME_BINS[place]
        is_fraud = 1.0 if one.label == FRAUD else 0.0
        self._scores.add(cells, (one.label, bin, slot))
        self._probability.add(cells, (bin, slot), one.probability)
        self._squared_error.add(cells, (slot,), (one.probability - is_fraud) ** 2)

    def _add_pair(self, cells: memoryview[float], one: Outcome, other_class_name: str) -> None:
        pair = (one.class_name, other_class_name)
        champion, challenger = pair if one.role == CHAMPION else pair[::-1]
        self._paired.add(cells, (champion, challenger, one.label))
        if one.cohort is not None:
            self._paired_by_cohort.add(cells, (champion, challenger, one.label, one.cohort))
