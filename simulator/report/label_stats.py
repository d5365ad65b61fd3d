"""What came of the labels, counted."""

from __future__ import annotations

from collections import Counter

from simulator.traffic.delayed_labels import FRAUD

COUNTED, REPEATED, REFUSED = "counted", "repeated", "refused"
# The target had counted it, but its answer was lost on the way.
REPEATED_AFTER_RETRY = "repeated_after_retry"
NO_PLACE, NO_RECEIPT, RUN_ENDED = "no_place", "no_receipt", "run_ended"


class LabelTally:
    """Always: known = told by the target + left out + waiting."""

    def __init__(self) -> None:
        self.known = 0
        """Predictions whose truth was to be told."""
        self.results: Counter[str] = Counter()
        """What the target said of each receipt, or REFUSED for those of a refused request."""
        self.left_out: Counter[str] = Counter()
        """NO_RECEIPT in the answer, NO_PLACE to keep it, or RUN_ENDED before it was delivered."""
        self.outcomes: Counter[tuple[str, str]] = Counter()
        """Predicted class and truth of those that the target has counted."""
        self.from_answers = 0
        """Truths drawn with a probability that the target itself had answered."""
        self.posts = 0
        self.failed_posts: Counter[str] = Counter()
        """Requests that were to be repeated, by status or reason."""
        self.early = 0
        """Labels that were sent before they were due, at the end of the run."""

    def told(self, result: str, predicted: str, truth: str, repeated: bool) -> None:
        """The target said `result` of one receipt; `repeated`: it was sent before."""
        if result == REPEATED and repeated:
            result = REPEATED_AFTER_RETRY
        self.results[result] += 1
        if result in (COUNTED, REPEATED_AFTER_RETRY):
            self.outcomes[predicted, truth] += 1

    @property
    def failed_share(self) -> float:
        """Share of the labels that the target has not counted, though they were to be."""
        counted = self.outcomes.total()
        return 1 - counted / self.known if self.known else 0.0

    @property
    def recall(self) -> float | None:
        """Of the true frauds that were told and counted, the share that was predicted so."""
        frauds = sum(n for (_, truth), n in self.outcomes.items() if truth == FRAUD)
        return self.outcomes[FRAUD, FRAUD] / frauds if frauds else None

    @property
    def precision(self) -> float | None:
        """Of the predicted frauds among them, the share that was true."""
        alarms = sum(n for (predicted, _), n in self.outcomes.items() if predicted == FRAUD)
        return self.outcomes[FRAUD, FRAUD] / alarms if alarms else None
