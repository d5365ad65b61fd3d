"""What the handler calls while it answers: everything that is counted is counted here, once.

A count is an addition to shared memory under a lock, a tenth of a microsecond; publishing happens
elsewhere, at its own pace. A request is counted before its answer leaves, so the counts never lag
behind what clients have seen.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Mapping, Sequence

import msgspec

from telemetry import metrics
from telemetry.baseline import Baseline
from telemetry.exemplars import Exemplars
from telemetry.outcome_counts import Outcome, OutcomeCounts
from telemetry.prediction_counts import ChampionCounts, PredictionCounts, ScoredTransaction
from telemetry.repeats import Repeats, hash_row
from telemetry.store.layout import (
    ACTIVITY,
    IN_FLIGHT,
    LAST_OUTCOME,
    WINDOW_COUNTS,
    WINDOW_SECONDS,
    WINDOW_STAMPS,
    Layout,
)
from telemetry.store.series_cells import Counts, Distribution
from telemetry.store.slots import Slot

# The decisions of champion and challenger.
Pair = tuple[str, str]
_RAISES, _LOWERS = metrics.DIRECTIONS


class ScoringCall(msgspec.Struct, frozen=True):
    """One call of the model in `role` that scored all of `transactions` in so many seconds.

    `by_champion`: the same transactions as the champion decides them; empty where it failed.
    """

    endpoint: str
    role: str
    transactions: Sequence[ScoredTransaction]
    seconds: float
    by_champion: Sequence[ScoredTransaction]


class Recorder:
    """Counts into this worker's slot. Label values must be of the closed sets of `metrics`.

    `version_slot` is the champion's. Each call takes the slot's lock once.
    """

    def __init__(
        self,
        slot: Slot,
        layout: Layout,
        exemplars: Exemplars,
        features: Sequence[Baseline],
        score: Baseline,
        version_slot: str,
    ) -> None:
        self._slot = slot
        self.answered = 0
        """Requests that this worker has answered."""
        self._predictions = PredictionCounts(layout, exemplars)
        self._judged = ChampionCounts(layout, features, score, version_slot)
        self._answers = Counts(layout, metrics.CHAMPION_ANSWERS, version_slot)
        self._repeats = Repeats(layout, features)
        self._quality = Counts(layout, metrics.DATA_QUALITY)
        self._outcomes = OutcomeCounts(layout, version_slot)
        self._paired_predictions = Counts(layout, metrics.PAIRED_PREDICTIONS)
        self._feedback = Counts(layout, metrics.FEEDBACK)
        self._requests = Counts(layout, metrics.HTTP_REQUESTS)
        self._errors = Counts(layout, metrics.ERRORS)
        self._latency = Distribution(layout, metrics.PREDICTION_LATENCY, exemplars)
        self._durations = Distribution(layout, metrics.HTTP_DURATION, exemplars)
        self._attributions = Counts(layout, metrics.FEATURE_ATTRIBUTION, version_slot)
        self._explanations = Counts(layout, metrics.EXPLANATIONS, version_slot)
        self._served = Counts(layout, metrics.SERVED)
        self._expected_served = Counts(layout, metrics.EXPECTED_SERVED)
        self._split = Counts(layout, metrics.SPLIT_TRANSACTIONS)
        self._challenger_requests = Counts(layout, metrics.CHALLENGER_REQUESTS)
        self._decisions = Counts(layout, metrics.CHALLENGER_DECISIONS)
        self._differences = Distribution(layout, metrics.CHALLENGER_DIFFERENCE)
        self._traces = Counts(layout, metrics.REQUEST_TRACES)

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
            self.answered += 1

    def record_error(self, error_type: str, endpoint: str) -> None:
        """A request or a simulated transaction was refused, or failed."""
        with self._slot.lock:
            self._errors.add(self._slot.cells, (error_type, endpoint))
            self._slot.cells[ACTIVITY] += 1

    def record_predictions(self, call: ScoringCall) -> None:
        """Everything that is counted of a scoring call.

        Live transactions, not those of /simulate_traffic, are also counted by the model that
        answered and in the statistics of the champion, as it decides them itself.
        """
        judged = call.by_champion if call.endpoint == metrics.LIVE_ENDPOINT else ()
        rows = [hash_row(one.row) for one in judged]
        cells = self._slot.cells
        with self._slot.lock:
            if call.endpoint == metrics.LIVE_ENDPOINT:
                self._served.add(cells, (call.role,), len(call.transactions))
            self._latency.add(cells, (), call.seconds)
            self._predictions.add(cells, call.transactions, call.endpoint)
            self._judged.add(cells, judged)
            if call.role == metrics.CHAMPION:
                for class_name, count in Counter([one.class_name for one in judged]).items():
                    self._answers.add(cells, (class_name,), count)
            self._repeats.add(cells, rows, time.time())
            cells[ACTIVITY] += 1

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
        with self._slot.lock:
            self._outcomes.add(cells, one)
            cells[LAST_OUTCOME] = number
            cells[ACTIVITY] += 1

    def skip_outcome(self, number: int) -> None:
        """The outcome with this number is never counted; the next has a number above it."""
        with self._slot.lock:
            self._slot.cells[LAST_OUTCOME] = number

    def record_feedback(self, result: str) -> None:
        """A receipt came back, and what became of it."""
        with self._slot.lock:
            self._feedback.add(self._slot.cells, (result,))
            self._slot.cells[ACTIVITY] += 1

    def record_explanation(self, contributions: Mapping[str, float]) -> None:
        """A sampled live prediction was explained: each feature's contribution, with its sign."""
        with self._slot.lock:
            self._explanations.add(self._slot.cells, ())
            for feature, contribution in contributions.items():
                labels = (feature, _RAISES if contribution > 0 else _LOWERS)
                self._attributions.add(self._slot.cells, labels, abs(contribution))
            self._slot.cells[ACTIVITY] += 1

    def record_challenger_request(self, result: str) -> None:
        """What became of one request that the challenger was to score."""
        with self._slot.lock:
            self._challenger_requests.add(self._slot.cells, (result,))
            self._slot.cells[ACTIVITY] += 1

    def record_split(
        self, role: str, bucket: str, challenger_share: float, transactions: int
    ) -> None:
        """Transactions of one routing key, which is the role's where this share is set."""
        cells = self._slot.cells
        with self._slot.lock:
            self._split.add(cells, (role, bucket), transactions)
            own = challenger_share * transactions
            self._expected_served.add(cells, (metrics.CHALLENGER,), own)
            self._expected_served.add(cells, (metrics.CHAMPION,), transactions - own)

    def record_comparisons(self, decisions: Sequence[Pair], differences: Sequence[float]) -> None:
        """Both models scored these transactions: their decisions and their scores' distances."""
        with self._slot.lock:
            for pair, count in Counter(decisions).items():
                self._decisions.add(self._slot.cells, pair, count)
            self._differences.add_all(self._slot.cells, (), differences)

    def record_paired_predictions(self, decisions: Sequence[Pair], cohort: str) -> None:
        """Receipts with both models' decisions were issued, in the week of this cohort."""
        with self._slot.lock:
            for pair, count in Counter(decisions).items():
                self._paired_predictions.add(self._slot.cells, (*pair, cohort), count)

    def record_trace(self, kept: bool) -> None:
        """There was a reason to keep a trace: it is kept, or over the bound."""
        result = metrics.TRACE_KEPT if kept else metrics.TRACE_LIMITED
        with self._slot.lock:
            self._traces.add(self._slot.cells, (result,))

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
