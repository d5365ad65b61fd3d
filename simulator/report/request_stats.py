"""What was sent and what came back, counted."""

from __future__ import annotations

from collections import Counter

from simulator.report.label_stats import LabelTally
from simulator.report.latency_histogram import Durations
from simulator.target.predict import TIMEOUT, Answer, NoAnswer
from simulator.traffic.delayed_labels import FRAUD
from simulator.traffic.request_plan import PlannedRequest
from simulator.traffic.scenarios import ASKED_ERROR, ASKED_SLOW

TOO_MANY = "too_many_in_flight"
TOO_LATE = "too_late"
INTERRUPTED = "interrupted"
TOO_SOON = "200 without the delay"


class Tally:
    """Counts of a run. Always: due = sent + not sent; sent = answered + unanswered + in flight."""

    def __init__(self) -> None:
        self.sent: Counter[str] = Counter()
        """By kind: 'valid' or the kind of fault."""
        self.not_sent: Counter[str] = Counter()
        self.statuses: Counter[int] = Counter()
        self.unanswered: Counter[str] = Counter()
        self.unexpected: Counter[tuple[str, int, str]] = Counter()
        """Kind, status expected, and the status or the reason that came instead."""
        self.predictions: Counter[tuple[str, str, str]] = Counter()
        """Class, user type and risk level as the target told them."""
        self.error_types: Counter[str] = Counter()
        self.latency = Durations()
        """From the moment a request was due to its answer, or to the timeout that ended it."""
        self.start_delay = Durations()
        """From the moment a request was due to the moment it was handed to the network."""
        self.duration = 0.0
        """Seconds from the start to the end of the last request."""
        self.labels: LabelTally | None = None
        """None where no labels are sent back."""

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
        """Share of the requests that were due and came to another end than planned, or to none.

        Requests that were under way when the run was interrupted are left out.
        """
        due = self.total_sent - self.in_flight + self.not_sent.total()
        due -= self.unanswered[INTERRUPTED]
        return (self.unexpected.total() + self.not_sent.total()) / due if due else 0.0

    @property
    def asked(self) -> int:
        """Requests that asked the target to misbehave."""
        return self.sent[ASKED_SLOW] + self.sent[ASKED_ERROR]

    @property
    def ignored(self) -> int:
        """Of those, the ones that were answered as if they had not asked."""
        slow = self.unexpected[ASKED_SLOW, 200, TOO_SOON]
        return slow + self.unexpected[ASKED_ERROR, 500, "200"]

    @property
    def fraud_share(self) -> float | None:
        """Predicted frauds among all predictions; None without any."""
        total = self.predictions.total()
        return self.by_class()[FRAUD] / total if total else None

    def by_class(self) -> Counter[str]:
        """Predictions by class."""
        return self._by(0)

    def by_user_type(self) -> Counter[str]:
        """Predictions by user type."""
        return self._by(1)

    def by_risk_level(self) -> Counter[str]:
        """Predictions by risk level."""
        return self._by(2)

    def leave_out(self, reason: str) -> None:
        """A request was due but is never sent: TOO_MANY or TOO_LATE."""
        self.not_sent[reason] += 1

    def start(self, request: PlannedRequest, delay: float) -> None:
        """A request is handed to the network `delay` seconds after it was due."""
        self.sent[request.kind] += 1
        self.start_delay.add(delay)

    def finish(self, request: PlannedRequest, outcome: Answer | NoAnswer, waited: float) -> None:
        """A request came to its end `waited` seconds after it was due."""
        if isinstance(outcome, Answer):
            self._answer(request, outcome)
            if outcome.status == 200 and waited < request.at_least:
                self.unexpected[request.kind, request.status, TOO_SOON] += 1
            self.latency.add(waited)
            return
        self.unanswered[outcome.reason] += 1
        if outcome.reason == TIMEOUT:
            self.latency.add(waited)
        self.unexpected[request.kind, request.status, outcome.reason] += 1

    def interrupt(self) -> None:
        """The run ends here: what is under way will not be answered."""
        self.unanswered[INTERRUPTED] += self.in_flight

    def _answer(self, request: PlannedRequest, answer: Answer) -> None:
        self.statuses[answer.status] += 1
        if answer.error_type is not None:
            self.error_types[answer.error_type] += 1
        if answer.status == 200 and answer.predicted is not None:
            labels = answer.predicted, answer.user_type or "unknown", answer.risk_level or "unknown"
            self.predictions[labels] += 1
        elif answer.status == 200:
            self.unexpected[request.kind, request.status, "200 without a prediction"] += 1
            return
        if answer.status != request.status:
            self.unexpected[request.kind, request.status, str(answer.status)] += 1

    def _by(self, label: int) -> Counter[str]:
        counts: Counter[str] = Counter()
        for labels, number in self.predictions.items():
            counts[labels[label]] += number
        return counts
