"""What the handler calls while it answers: everything that is counted is counted here, once.

A count is an addition to shared memory under a lock, a tenth of a microsecond; publishing happens
elsewhere, at its own pace. A request is counted before its answer leaves, so the counts never lag
behind what clients have seen.
"""

from __future__ import annotations

import time
from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import msgspec

from model.serving.vocabulary import FRAUD
from telemetry import metrics
from telemetry.baseline import Baseline
from telemetry.exemplars import Exemplars
from telemetry.metrics import Labels, Metric
from telemetry.store.layout import (
    ACTIVITY,
    IN_FLIGHT,
    LAST_OUTCOME,
    WINDOW_COUNTS,
    WINDOW_SECONDS,
    WINDOW_STAMPS,
    Layout,
)
from telemetry.store.slots import Slot


class Outcome(msgspec.Struct, frozen=True, rename={"label": "truth"}):
    """A labelled prediction: `label` is its true class, `delay` the seconds until it was known.

    `other_class_name` is the decision of the model in the other role, where that is known, `cohort`
    the slot of the prediction's week unless it is too old. Written to the store of used receipts as
    JSON, so its names there must stay.
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


@dataclass(frozen=True, slots=True)
class ScoredTransaction:
    """One transaction and its decision; `row` as the scorer takes it, `value` in euros."""

    row: Sequence[float]
    class_name: str
    user_type: str
    risk_level: str
    probability: float
    value: float
    value_band: str


@dataclass(frozen=True, slots=True)
class ScoringCall:
    """One call of the model in `role` that scored all of `transactions` in so many seconds."""

    endpoint: str
    role: str
    transactions: Sequence[ScoredTransaction]
    seconds: float


class _Counts:
    """The cells of one counter by label values."""

    def __init__(self, layout: Layout, metric: Metric) -> None:
        self._offsets = layout.offsets(metric)

    def add(self, cells: memoryview[float], labels: Labels, amount: float = 1) -> None:
        cells[self._offsets[labels]] += amount


class _Distribution:
    """The cells of one histogram by label values; upper bounds are inclusive."""

    def __init__(self, layout: Layout, metric: Metric, exemplars: Exemplars | None = None) -> None:
        self._offsets = layout.offsets(metric)
        self._bounds = metric.bounds
        self._sum = len(metric.bounds) + 1
        self._exemplars = exemplars

    def add(self, cells: memoryview[float], labels: Labels, value: float) -> None:
        first = self._offsets[labels]
        bucket = first + bisect_left(self._bounds, value)
        cells[bucket] += 1
        cells[first + self._sum] += value
        if self._exemplars is not None:
            self._exemplars.offer(bucket, value)


class Recorder:
    """Counts into this worker's slot. Label values must be of the closed sets of `metrics`.

    Each call takes the slot's lock once.
    """

    def __init__(
        self,
        slot: Slot,
        layout: Layout,
        exemplars: Exemplars,
        features: Sequence[Baseline],
        score: Baseline,
    ) -> None:
        self._slot = slot
        self._features = tuple(features)
        self._score = score
        self._feature_values = _Counts(layout, metrics.FEATURE_VALUES)
        self._score_values = _Counts(layout, metrics.SCORE_VALUES)
        self._quality = _Counts(layout, metrics.DATA_QUALITY)
        self._probability = _Counts(layout, metrics.PROBABILITY)
        self._uncertainty = _Counts(layout, metrics.UNCERTAINTY)
        self._outcomes = _Counts(layout, metrics.OUTCOMES)
        self._paired = _Counts(layout, metrics.PAIRED_OUTCOMES)
        self._paired_predictions = _Counts(layout, metrics.PAIRED_PREDICTIONS)
        self._paired_by_cohort = _Counts(layout, metrics.PAIRED_COHORT_OUTCOMES)
        self._outcome_scores = _Counts(layout, metrics.OUTCOME_SCORES)
        self._outcome_probability = _Counts(layout, metrics.OUTCOME_PROBABILITY)
        self._squared_error = _Counts(layout, metrics.OUTCOME_SQUARED_ERROR)
        self._delays = _Distribution(layout, metrics.OUTCOME_DELAY)
        self._feedback = _Counts(layout, metrics.FEEDBACK)
        self._predictions = _Counts(layout, metrics.PREDICTIONS)
        self._requests = _Counts(layout, metrics.HTTP_REQUESTS)
        self._errors = _Counts(layout, metrics.ERRORS)
        self._latency = _Distribution(layout, metrics.PREDICTION_LATENCY, exemplars)
        self._scores = _Distribution(layout, metrics.FRAUD_SCORE, exemplars)
        self._durations = _Distribution(layout, metrics.HTTP_DURATION, exemplars)
        self._values = _Distribution(layout, metrics.TRANSACTION_VALUE)
        self._attributions = _Counts(layout, metrics.FEATURE_ATTRIBUTION)
        self._served = _Counts(layout, metrics.SERVED)
        self._challenger_requests = _Counts(layout, metrics.CHALLENGER_REQUESTS)
        self._decisions = _Counts(layout, metrics.CHALLENGER_DECISIONS)
        self._differences = _Distribution(layout, metrics.CHALLENGER_DIFFERENCE)

    def record_request_start(self) -> None:
        """A request has come in; `record_request_end` must follow, whatever happens to it."""
        with self._slot.lock:
            self._slot.cells[IN_FLIGHT] += 1

    def record_request_end(self) -> None:
        """The request is answered or given up."""
        with self._slot.lock:
            self._slot.cells[IN_FLIGHT] -= 1

    def record_response(self, method: str, endpoint: str, status: int, seconds: float) -> None:
        """A request has its answer, after `seconds`; unusual methods and statuses are `other`."""
        method = method if method in metrics.METHODS else metrics.OTHER
        code = str(status) if str(status) in metrics.STATUSES else metrics.OTHER
        cells = self._slot.cells
        with self._slot.lock:
            self._requests.add(cells, (method, endpoint, code))
            self._durations.add(cells, (method, endpoint), seconds)
            self._count_in_window(cells)

    def record_error(self, error_type: str, endpoint: str) -> None:
        """A request or a simulated transaction was refused, or failed."""
        with self._slot.lock:
            self._errors.add(self._slot.cells, (error_type, endpoint))
            self._slot.cells[ACTIVITY] += 1

    def record_predictions(self, call: ScoringCall) -> None:
        """Everything that is counted of a scoring call.

        Live transactions, not those of /simulate_traffic, are also counted in the bins of the
        card's baseline.
        """
        live = call.endpoint == metrics.LIVE_ENDPOINT
        bins = [self._find_bins(one) for one in call.transactions] if live else []
        cells = self._slot.cells
        with self._slot.lock:
            self._served.add(cells, (call.role,), len(call.transactions))
            self._latency.add(cells, (), call.seconds)
            for one in call.transactions:
                labels = (one.class_name, one.user_type, call.endpoint, one.risk_level)
                self._predictions.add(cells, labels)
                self._scores.add(cells, (), one.probability)
                self._values.add(cells, (one.value_band,), one.value)
            for one, (feature_bins, score_bin) in zip(call.transactions, bins, strict=live):
                self._add_live(cells, one, feature_bins, score_bin)
            cells[ACTIVITY] += 1

    def _find_bins(self, one: ScoredTransaction) -> tuple[list[Labels], Labels]:
        """The bin of each feature's value, and that of the score."""
        pairs = zip(self._features, one.row, strict=True)
        features: list[Labels] = [(each.name, each.bin_of(value)) for each, value in pairs]
        return features, (self._score.bin_of(one.probability),)

    def _add_live(
        self,
        cells: memoryview[float],
        one: ScoredTransaction,
        feature_bins: Sequence[Labels],
        score_bin: Labels,
    ) -> None:
        decision, p = (one.class_name,), one.probability
        for labels in feature_bins:
            self._feature_values.add(cells, labels)
        self._score_values.add(cells, score_bin)
        self._probability.add(cells, decision, p)
        self._uncertainty.add(cells, decision, p * (1 - p))

    def record_bad_value(self, feature: str, problem: str) -> None:
        """A transaction was refused for this feature's value."""
        with self._slot.lock:
            self._quality.add(self._slot.cells, (feature, problem))

    def last_outcome_number(self) -> int:
        """Number of the last outcome that was counted in this slot, by whichever worker held it."""
        return int(self._slot.cells[LAST_OUTCOME])

    def record_outcome(self, one: Outcome, number: int) -> None:
        """Count the outcome with this number; the slot's last number moves with it."""
        cells = self._slot.cells
        labels = (one.role, one.class_name, one.label, one.user_type, one.value_band)
        with self._slot.lock:
            self._outcomes.add(cells, labels)
            if one.role == "champion":
                self._add_champion_outcome(cells, one)
            if one.other_class_name is not None:
                pair = (one.class_name, one.other_class_name)
                champion, challenger = pair if one.role == "champion" else pair[::-1]
                self._paired.add(cells, (champion, challenger, one.label))
                if one.cohort is not None:
                    decided = (champion, challenger, one.label, one.cohort)
                    self._paired_by_cohort.add(cells, decided)
            cells[LAST_OUTCOME] = number
            cells[ACTIVITY] += 1

    def _add_champion_outcome(self, cells: memoryview[float], one: Outcome) -> None:
        last = len(metrics.OUTCOME_BINS) - 1
        place = min(last, bisect_left(metrics.OUTCOME_BOUNDS, one.probability))
        bin = metrics.OUTCOME_BINS[place]
        is_fraud = 1.0 if one.label == FRAUD else 0.0
        self._outcome_scores.add(cells, (one.label, bin))
        self._outcome_probability.add(cells, (bin,), one.probability)
        self._squared_error.add(cells, (), (one.probability - is_fraud) ** 2)
        self._delays.add(cells, (), one.delay)

    def record_feedback(self, result: str) -> None:
        """A receipt came back, and what became of it."""
        with self._slot.lock:
            self._feedback.add(self._slot.cells, (result,))
            self._slot.cells[ACTIVITY] += 1

    def record_explanation(self, contributions: Mapping[str, float]) -> None:
        """A sampled live prediction was explained: each feature's contribution, with its sign."""
        with self._slot.lock:
            for feature, contribution in contributions.items():
                self._attributions.add(self._slot.cells, (feature,), abs(contribution))
            self._slot.cells[ACTIVITY] += 1

    def record_challenger_request(self, result: str) -> None:
        """What became of one request that the challenger was to score."""
        with self._slot.lock:
            self._challenger_requests.add(self._slot.cells, (result,))
            self._slot.cells[ACTIVITY] += 1

    def record_comparison(self, champion: str, challenger: str, difference: float) -> None:
        """Both models scored one transaction: their decisions and their scores' distance."""
        with self._slot.lock:
            self._decisions.add(self._slot.cells, (champion, challenger))
            self._differences.add(self._slot.cells, (), difference)

    def record_paired_prediction(self, champion: str, challenger: str, cohort: str) -> None:
        """A receipt with both models' decisions was issued, in the week of this cohort."""
        with self._slot.lock:
            self._paired_predictions.add(self._slot.cells, (champion, challenger, cohort))

    @staticmethod
    def _count_in_window(cells: memoryview[float]) -> None:
        """Into the ring of seconds behind the throughput."""
        second = int(time.time())
        place = second % WINDOW_SECONDS
        if cells[WINDOW_STAMPS + place] != second:
            cells[WINDOW_COUNTS + place] = 0
            cells[WINDOW_STAMPS + place] = second
        cells[WINDOW_COUNTS + place] += 1
        cells[ACTIVITY] += 1
