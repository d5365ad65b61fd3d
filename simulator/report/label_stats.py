"""The labels of a run and what the target said of them, counted."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Final

from simulator.contract.vocabulary import COUNTED, FRAUD, REPEATED

# Results beside the target's own: of the labels of a refused request; and of one that the target
# had counted, but its answer was lost on the way.
REFUSED: Final = "refused"
REPEATED_AFTER_RETRY: Final = "repeated_after_retry"

QUEUE_FULL: Final = "no_place"
NO_RECEIPT: Final = "no_receipt"
RUN_ENDED: Final = "run_ended"


@dataclass(frozen=True, slots=True, order=True)
class Outcome:
    """A predicted class and the true class."""

    predicted: str
    true_class: str


class LabelStats:
    """Always: planned = results + not sent + waiting."""

    def __init__(self) -> None:
        self.planned = 0
        """Predictions whose label was to be sent."""
        self.results: Counter[str] = Counter()
        """What the target said of each receipt, or REFUSED for those of a refused request."""
        self.not_sent: Counter[str] = Counter()
        """NO_RECEIPT in the answer, QUEUE_FULL, or RUN_ENDED before it was delivered."""
        self.outcomes: Counter[Outcome] = Counter()
        """Those that the target has counted."""
        self.from_answers = 0
        """Labels drawn with a fraud probability that the target itself had answered."""
        self.posts = 0
        self.failed_posts: Counter[str] = Counter()
        """Requests that were to be repeated, by status or reason."""
        self.early = 0
        """Labels that were sent before they were due, at the end of the run."""

    def count_result(self, result: str, outcome: Outcome, is_retry: bool) -> None:
        """The target said `result` of one receipt."""
        if result == REPEATED and is_retry:
            result = REPEATED_AFTER_RETRY
        self.results[result] += 1
        if result in (COUNTED, REPEATED_AFTER_RETRY):
            self.outcomes[outcome] += 1

    @property
    def failed_share(self) -> float:
        """Share of the planned labels that the target has not counted."""
        counted = self.outcomes.total()
        return 1 - counted / self.planned if self.planned else 0.0

    @property
    def recall(self) -> float | None:
        """Of the true frauds that were counted, the share that was predicted so."""
        frauds = sum(n for outcome, n in self.outcomes.items() if outcome.true_class == FRAUD)
        return self.outcomes[Outcome(FRAUD, FRAUD)] / frauds if frauds else None

    @property
    def precision(self) -> float | None:
        """Of the predicted frauds that were counted, the share that was true."""
        alarms = sum(n for outcome, n in self.outcomes.items() if outcome.predicted == FRAUD)
        return self.outcomes[Outcome(FRAUD, FRAUD)] / alarms if alarms else None
