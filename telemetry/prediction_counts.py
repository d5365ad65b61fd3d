"""Counting predictions: one by one where they are few, column by column where they are many.

Both leave the same counts; a sum of values differs by the rounding of its order. The caller holds
the slot's lock.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import msgspec
import numpy as np

from model.serving.vocabulary import CLASS_NAMES, VALUE_BANDS
from telemetry import metrics
from telemetry.baseline import Baseline
from telemetry.bin_counts import BinCounts
from telemetry.exemplars import Exemplars
from telemetry.store.layout import Layout
from telemetry.store.series_cells import MANY, Counts, Distribution


class ScoredTransaction(msgspec.Struct, frozen=True):
    """One transaction and its decision; `row` as the scorer takes it, `value` in euros, not a
    number where it is not known: a sum that takes one is none for ever."""

    row: Sequence[float]
    class_name: str
    user_type: str
    risk_level: str
    probability: float
    value: float
    value_band: str


class PredictionCounts:
    """What is counted of each answered transaction."""

    def __init__(self, layout: Layout, exemplars: Exemplars) -> None:
        self._predictions = Counts(layout, metrics.PREDICTIONS)
        self._scores = Distribution(layout, metrics.FRAUD_SCORE, exemplars)
        self._values = Distribution(layout, metrics.TRANSACTION_VALUE)

    def add(
        self, cells: memoryview[float], scored: Sequence[ScoredTransaction], endpoint: str
    ) -> None:
        """Count all of them."""
        if len(scored) >= MANY:
            self._add_columns(cells, scored, endpoint)
            return
        for one in scored:
            labels = (one.class_name, one.user_type, endpoint, one.risk_level)
            self._predictions.add(cells, labels)
            self._scores.add(cells, (), one.probability)
            if one.value == one.value:
                self._values.add(cells, (one.value_band,), one.value)

    def _add_columns(
        self, cells: memoryview[float], scored: Sequence[ScoredTransaction], endpoint: str
    ) -> None:
        decided = Counter([(one.class_name, one.user_type, one.risk_level) for one in scored])
        for (class_name, user_type, risk_level), count in decided.items():
            self._predictions.add(cells, (class_name, user_type, endpoint, risk_level), count)
        self._scores.add_all(cells, (), [one.probability for one in scored])
        for band in VALUE_BANDS:
            values = [
                one.value for one in scored if one.value_band == band and one.value == one.value
            ]
            self._values.add_all(cells, (band,), values)


class ChampionCounts:
    """The champion's own statistics: its inputs and scores by the bins of its baseline, what it
    decided, and how sure it was. `version_slot` is the champion's."""

    def __init__(
        self, layout: Layout, features: Sequence[Baseline], score: Baseline, version_slot: str
    ) -> None:
        values = Counts(layout, metrics.FEATURE_VALUES, version_slot)
        self._features = [BinCounts(one, values.cells_of(one.name)) for one in features]
        scores = Counts(layout, metrics.SCORE_VALUES, version_slot)
        self._score = BinCounts(score, scores.cells_of())
        self._probability = Counts(layout, metrics.PROBABILITY, version_slot)
        self._uncertainty = Counts(layout, metrics.UNCERTAINTY, version_slot)
        self._decisions = Counts(layout, metrics.CHAMPION_DECISIONS, version_slot)

    def add(self, cells: memoryview[float], scored: Sequence[ScoredTransaction]) -> None:
        """Count all of them, as the champion decides them."""
        if len(scored) >= MANY:
            self._add_columns(cells, scored)
            return
        for one in scored:
            for feature, value in zip(self._features, one.row, strict=True):
                feature.add(cells, value)
            self._score.add(cells, one.probability)
            self._add_decisions(cells, one.class_name, [one.probability])

    def _add_columns(self, cells: memoryview[float], scored: Sequence[ScoredTransaction]) -> None:
        table = np.array([one.row for one in scored])
        for feature, values in zip(self._features, table.T, strict=True):
            feature.add_all(cells, values)
        self._score.add_all(cells, np.array([one.probability for one in scored]))
        for class_name in CLASS_NAMES:
            of_class = [one.probability for one in scored if one.class_name == class_name]
            self._add_decisions(cells, class_name, of_class)

    def _add_decisions(
        self, cells: memoryview[float], class_name: str, probabilities: list[float]
    ) -> None:
        labels = (class_name,)
        self._probability.add(cells, labels, sum(probabilities))
        self._uncertainty.add(cells, labels, sum([p * (1 - p) for p in probabilities]))
        self._decisions.add(cells, labels, len(probabilities))
