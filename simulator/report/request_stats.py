"""The requests of a run and the answers to them, counted."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from simulator.contract.vocabulary import DELAY_REQUESTED, ERROR_REQUESTED, FRAUD
from simulator.report.label_stats import LabelStats
from simulator.report.latency_histogram import LatencyHistogram
from simulator.target.connection import TIMEOUT
from simulator.target.predict import NoResponse, Response
from simulator.traffic.planned_request import PlannedRequest

TOO_MANY_IN_FLIGHT: Final = "too_many_in_flight"
TOO_LATE: Final = "too_late"
INTERRUPTED: Final = "interrupted"
TOO_SOON: Final = "200 without the delay"
WITHOUT_PREDICTION: Final = "200 without a prediction"
UNKNOWN: Final = "unknown"


@dataclass(frozen=True, slots=True, order=True)
class PredictionLabels:
    """What a prediction is counted by, as the target said it; UNKNOWN where it did not."""

    class_name: str
    user_type: str
    risk_level: str


@dataclass(frozen=True, slots=True, order=True)
class Unexpected:
    """A kind of request, the status expected, and the status or the reason that came instead."""

    kind: str
    expected: int
    got: str


class RequestStats:
    """Counts of a run. Always: due = sent + not sent; sent = answered + unanswered + in flight."""

    def __init__(self) -> None:
        self.sent: Counter[str] = Counter()
        """By kind: 'valid', the kind of invalid request, or of injected fault."""
        self.not_sent: Counter[str] = Counter()
        self.statuses: Counter[int] = Counter()
        self.unanswered: Counter[str] = Counter()
        self.unexpected: Counter[Unexpected] = Counter()
        self.predictions: Counter[PredictionLabels] = Counter()
        self.error_types: Counter[str] = Counter()
        self.latency = LatencyHistogram()
        """From the moment a request was due to its answer, or to the timeout that ended it."""
        self.start_delay = LatencyHistogram()
        """From the moment a request was due to the moment it was handed to the network."""
        self.duration = 0.0
        """Seconds from the start to the end of the last request."""
        self.labels: LabelStats | None = None
        """None where no labels are sent."""

    @property
    def total_sent(self) -> int:
        return self.sent.total()

    @property
    def answered(self) -> int:
        return self.statuses.total()

    @property
    def in_flight(self) -> int:
        return self.total_sent - self.answered - self.unanswered.total()

    @property
    def failed_share(self) -> float:
        """Share of the requests due that were not sent, or not answered as expected.

        Requests that were in flight when the run was interrupted are left out.
        """
        due = self.total_sent - self.in_flight + self.not_sent.total()
        due -= self.unanswered[INTERRUPTED]
        return (self.unexpected.total() + self.not_sent.total()) / due if due else 0.0

    @property
    def faults_requested(self) -> int:
        """Requests that asked the target to inject a fault."""
        return self.sent[DELAY_REQUESTED] + self.sent[ERROR_REQUESTED]

    @property
    def faults_ignored(self) -> int:
        """Of those, the ones that were answered as if they had not asked."""
        return sum(
            number
            for one, number in self.unexpected.items()
            if (one.kind, one.got) in ((DELAY_REQUESTED, TOO_SOON), (ERROR_REQUESTED, "200"))
        )

    @property
    def fraud_share(self) -> float | None:
        """Predicted frauds among all predictions; None without any."""
        total = self.predictions.total()
        return self.count_by_class()[FRAUD] / total if total else None

    def count_by_class(self) -> Counter[str]:
        """Predictions by class."""
        return self._count_by(lambda labels: labels.class_name)

    def count_by_user_type(self) -> Counter[str]:
        """Predictions by user type."""
        return self._count_by(lambda labels: labels.user_type)

    def count_by_risk_level(self) -> Counter[str]:
        """Predictions by risk level."""
        return self._count_by(lambda labels: labels.risk_level)

    def skip(self, reason: str) -> None:
        """A request was due but is never sent: TOO_MANY_IN_FLIGHT or TOO_LATE."""
        self.not_sent[reason] += 1

    def start(self, request: PlannedRequest, delay: float) -> None:
        """A request is handed to the network `delay` seconds after it was due."""
        self.sent[request.kind] += 1
        self.start_delay.add(delay)

    def finish(
        self, request: PlannedRequest, outcome: Response | NoResponse, seconds: float
    ) -> None:
        """A request came to its end so many seconds after it was due."""
        if isinstance(outcome, Response):
            self._count_response(request, outcome)
            if outcome.status == 200 and seconds < request.min_seconds:
                self._count_unexpected(request, TOO_SOON)
            self.latency.add(seconds)
            return
        self.unanswered[outcome.reason] += 1
        if outcome.reason == TIMEOUT:
            self.latency.add(seconds)
        self._count_unexpected(request, outcome.reason)

    def interrupt(self) -> None:
        """The run ends here: what is in flight will not be answered."""
        self.unanswered[INTERRUPTED] += self.in_flight

    def _count_response(self, request: PlannedRequest, response: Response) -> None:
        self.statuses[response.status] += 1
        if response.error_type is not None:
            self.error_types[response.error_type] += 1
        if response.status == 200 and response.predicted_class is not None:
            user_type, risk_level = response.user_type or UNKNOWN, response.risk_level or UNKNOWN
            labels = PredictionLabels(response.predicted_class, user_type, risk_level)
            self.predictions[labels] += 1
        elif response.status == 200:
            self._count_unexpected(request, WITHOUT_PREDICTION)
            return
        if response.status != request.expected_status:
            self._count_unexpected(request, str(response.status))

    def _count_unexpected(self, request: PlannedRequest, got: str) -> None:
        self.unexpected[Unexpected(request.kind, request.expected_status, got)] += 1

    def _count_by(self, select: Callable[[PredictionLabels], str]) -> Counter[str]:
        counts: Counter[str] = Counter()
        for labels, number in self.predictions.items():
            counts[select(labels)] += number
        return counts
