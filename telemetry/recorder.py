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

from telemetry import metrics
from telemetry.baseline import Baseline
from telemetry.exemplars import Exemplars
from telemetry.metrics import Labels, Metric
from telemetry.store.layout import (
    ACTIVITY,
    IN_FLIGHT,
    LAST_NOTE,
    WINDOW_COUNTS,
    WINDOW_SECONDS,
    WINDOW_STAMPS,
    Layout,
)
from telemetry.store.slots import Slot


@dataclass(frozen=True, slots=True)
class Outcome:
    """A prediction whose truth is known; `truth` is a class, `delay` in seconds.

    `other_class_name` is what the model in the other role said of it, where that is known.
    """

    role: str
    class_name: str
    truth: str
    user_type: str
    value_band: str
    probability: float
    delay: float
    other_class_name: str | None = None


@dataclass(frozen=True, slots=True)
class Scored:
    """One scored transaction, as far as it is counted; `value` is in euros."""

    class_name: str
    user_type: str
    risk_level: str
    probability: float
    value: float
    value_band: str


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
    """Counts into this worker's slot. Label values must be of the closed sets of the table."""

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
        self._challenged = _Counts(layout, metrics.CHALLENGER_REQUESTS)
        self._decisions = _Counts(layout, metrics.CHALLENGER_DECISIONS)
        self._differences = _Distribution(layout, metrics.CHALLENGER_DIFFERENCE)

    def request_accepted(self) -> None:
        """A request has come in; `request_left` must follow, whatever happens to it."""
        with self._slot.lock:
            self._slot.cells[IN_FLIGHT] += 1

    def request_left(self) -> None:
        """The request is answered or given up."""
        with self._slot.lock:
            self._slot.cells[IN_FLIGHT] -= 1

    def request_answered(self, method: str, endpoint: str, status: int, seconds: float) -> None:
        """A request has its answer, after `seconds`; unusual methods and statuses are `other`."""
        method = method if method in metrics.METHODS else metrics.OTHER
        code = str(status) if str(status) in metrics.STATUSES else metrics.OTHER
        cells = self._slot.cells
        with self._slot.lock:
            self._requests.add(cells, (method, endpoint, code))
            self._durations.add(cells, (method, endpoint), seconds)
            self._tick(cells)

    def refused(self, error_type: str, endpoint: str) -> None:
        """A request or a simulated transaction was refused, or failed."""
        with self._slot.lock:
            self._errors.add(self._slot.cells, (error_type, endpoint))
            self._slot.cells[ACTIVITY] += 1

    def scored(self, endpoint: str, transactions: Sequence[Scored], seconds: float) -> None:
        """One scoring call gave all of `transactions` their score, in `seconds`."""
        cells = self._slot.cells
        with self._slot.lock:
            self._latency.add(cells, (), seconds)
            for one in transactions:
                labels = (one.class_name, one.user_type, endpoint, one.risk_level)
                self._predictions.add(cells, labels)
                self._scores.add(cells, (), one.probability)
                self._values.add(cells, (one.value_band,), one.value)
            cells[ACTIVITY] += 1

    def observed(self, row: Sequence[float], scored: Scored) -> None:
        """One live transaction, in the bins of the baseline; `row` as the scorer takes it."""
        places = [
            (one.name, one.bin_of(value)) for one, value in zip(self._features, row, strict=True)
        ]
        score = (self._score.bin_of(scored.probability),)
        decision, p = (scored.class_name,), scored.probability
        cells = self._slot.cells
        with self._slot.lock:
            for place in places:
                self._feature_values.add(cells, place)
            self._score_values.add(cells, score)
            self._probability.add(cells, decision, p)
            self._uncertainty.add(cells, decision, p * (1 - p))

    def bad_value(self, feature: str, problem: str) -> None:
        """A transaction was refused for this feature's value."""
        with self._slot.lock:
            self._quality.add(self._slot.cells, (feature, problem))

    def last_note(self) -> int:
        """Number of the last outcome that was counted in this slot, by whichever worker held it."""
        return int(self._slot.cells[LAST_NOTE])

    def outcome(self, one: Outcome, number: int) -> None:
        """Count the outcome with this number; the slot's last number moves with it."""
        cells = self._slot.cells
        labels = (one.role, one.class_name, one.truth, one.user_type, one.value_band)
        with self._slot.lock:
            self._outcomes.add(cells, labels)
            if one.role == "champion":
                self._champion_outcome(cells, one)
            if one.other_class_name is not None:
                pair = (one.class_name, one.other_class_name)
                champion, challenger = pair if one.role == "champion" else pair[::-1]
                self._paired.add(cells, (champion, challenger, one.truth))
            cells[LAST_NOTE] = number
            cells[ACTIVITY] += 1

    def _champion_outcome(self, cells: memoryview[float], one: Outcome) -> None:
        last = len(metrics.OUTCOME_BINS) - 1
        bin = metrics.OUTCOME_BINS[min(last, bisect_left(metrics.OUTCOME_BOUNDS, one.probability))]
        truth = 1.0 if one.truth == "fraud" else 0.0
        self._outcome_scores.add(cells, (one.truth, bin))
        self._outcome_probability.add(cells, (bin,), one.probability)
        self._squared_error.add(cells, (), (one.probability - truth) ** 2)
        self._delays.add(cells, (), one.delay)

    def feedback(self, result: str) -> None:
        """A receipt came back, and what became of it."""
        with self._slot.lock:
            self._feedback.add(self._slot.cells, (result,))
            self._slot.cells[ACTIVITY] += 1

    def served(self, role: str, transactions: int) -> None:
        """That many transactions were answered by the champion or by the challenger."""
        with self._slot.lock:
            self._served.add(self._slot.cells, (role,), transactions)

    def explained(self, contributions: Mapping[str, float]) -> None:
        """A sampled live prediction was explained: each feature's contribution, with its sign."""
        with self._slot.lock:
            for feature, contribution in contributions.items():
                self._attributions.add(self._slot.cells, (feature,), abs(contribution))
            self._slot.cells[ACTIVITY] += 1

    def challenged(self, result: str) -> None:
        """What became of one request that the challenger was to score."""
        with self._slot.lock:
            self._challenged.add(self._slot.cells, (result,))
            self._slot.cells[ACTIVITY] += 1

    def compared(self, champion: str, challenger: str, difference: float) -> None:
        """Both models scored one transaction: their decisions and their scores' distance."""
        with self._slot.lock:
            self._decisions.add(self._slot.cells, (champion, challenger))
            self._differences.add(self._slot.cells, (), difference)

    @staticmethod
    def _tick(cells: memoryview[float]) -> None:
        second = int(time.time())
        place = second % WINDOW_SECONDS
        if cells[WINDOW_STAMPS + place] != second:
            cells[WINDOW_COUNTS + place] = 0
            cells[WINDOW_STAMPS + place] = second
        cells[WINDOW_COUNTS + place] += 1
        cells[ACTIVITY] += 1
