"""A second model beside the champion: in the shadow, or serving a share of the traffic.

In the shadow it scores aside what the champion scores: its failure, slowness or absence never
touches an answer; an answer waits a few milliseconds for its decision, and not at all for a while
after one that did not come. Where it serves, it has a time limit, and the champion answers in its
place.
"""

from __future__ import annotations

import hashlib
import random
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from concurrent.futures import TimeoutError as Late
from dataclasses import dataclass
from threading import Lock

from model.serving.card import Card
from model.serving.errors import ModelError
from model.serving.scorer import Scorer
from service.background import Aside
from telemetry.recorder import Recorder

REST_SECONDS = 10.0

Rows = Sequence[Sequence[float]]


@dataclass(frozen=True)
class Shares:
    """Percentages of the requests: scored in the shadow, and served; and the time to serve in, and
    the time that an answer waits for the shadow, in seconds."""

    shadow_percent: int
    serves_percent: int
    timeout_seconds: float
    wait_seconds: float = 0.005


class Patience:
    """How long to wait for somebody who may never come: after a disappointment one more try a
    `REST_SECONDS`, until one succeeds."""

    def __init__(self, seconds: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._seconds = seconds
        self._clock = clock
        self._lock = Lock()
        self._again: float | None = None

    def seconds(self) -> float:
        """How long to wait this time; 0 while it rests."""
        with self._lock:
            now = self._clock()
            if self._again is not None:
                if now < self._again:
                    return 0.0
                self._again = now + REST_SECONDS
            return self._seconds

    def kept(self) -> None:
        """What was waited for came in time."""
        with self._lock:
            self._again = None

    def broken(self) -> None:
        """It did not come."""
        with self._lock:
            self._again = self._clock() + REST_SECONDS


class Pending:
    """Probabilities that the challenger is about to give, or fails to give."""

    def __init__(self, answer: Future[list[float]], patience: Patience) -> None:
        self.answer = answer
        self._patience = patience

    def take(self) -> list[float] | None:
        """The probabilities, if they come while it is worth waiting for them."""
        seconds = self._patience.seconds()
        try:
            probabilities = self.answer.result(seconds)
        except Exception:
            if seconds:
                self._patience.broken()
            return None
        if seconds:
            self._patience.kept()
        return probabilities


class Challenger:
    """Scores with the challenging model and counts how it compares."""

    def __init__(self, scorer: Scorer, shares: Shares, recorder: Recorder) -> None:
        self.scorer = scorer
        self.shares = shares
        self._recorder = recorder
        # Answers wait for it a little, and all threads while it holds the interpreter: a thread of
        # low priority that is kept from the processor would hold it for long.
        self._aside = Aside("challenger", nice=False)
        self._patience = Patience(shares.wait_seconds)

    def serves(self, key: str) -> bool:
        """True if requests with this key are the challenger's: always the same for the same key."""
        place = int.from_bytes(hashlib.sha256(key.encode()).digest()[:8]) % 10_000
        return place < self.shares.serves_percent * 100

    def begin(self, rows: Rows) -> Future[list[float]] | None:
        """Let it score aside; None where there is no place for it."""
        answer: Future[list[float]] = Future()
        if self._aside.offer(lambda: _fulfil(answer, self.scorer, rows)):
            return answer
        self._recorder.challenged("skipped")
        return None

    def finish(self, answer: Future[list[float]] | None) -> list[float] | None:
        """The probabilities within the time limit; None means that the champion must answer."""
        if answer is None:
            return None
        try:
            probabilities = answer.result(self.shares.timeout_seconds)
        except Late:
            self._recorder.challenged("late")
            return None
        except Exception:
            self._recorder.challenged("failed")
            return None
        self._recorder.challenged("scored")
        return probabilities

    def shadow(self, rows: Rows) -> Pending | None:
        """Score aside the share of requests that is looked at; what becomes of it is counted."""
        if random.random() * 100 >= self.shares.shadow_percent:
            return None
        answer = self.begin(rows)
        if answer is None:
            self._patience.broken()
            return None
        answer.add_done_callback(self._count)
        return Pending(answer, self._patience)

    def compare(self, pending: Pending, champion: Sequence[float], threshold: float) -> None:
        """Count how the two agree, as soon as the challenger is ready: now, or later and aside."""

        def count(answer: Future[list[float]]) -> None:
            if answer.exception() is None:
                self.compared(champion, threshold, answer.result())

        pending.answer.add_done_callback(count)

    def compared(self, champion: Sequence[float], threshold: float, own: Sequence[float]) -> None:
        """Count how the two agree; `threshold` is the champion's."""
        mine = self.scorer.card.threshold
        for theirs, ours in zip(champion, own, strict=True):
            decisions = class_of(theirs, threshold), class_of(ours, mine)
            self._recorder.compared(*decisions, abs(theirs - ours))

    def _count(self, answer: Future[list[float]]) -> None:
        self._recorder.challenged("scored" if answer.exception() is None else "failed")


def check_same_schema(champion: Card, challenger: Card) -> None:
    """Raises ModelError unless both models take the same fields, so that each can take the other's
    requests."""
    ours = [(f.name, f.type, f.categories, f.nullable) for f in champion.features]
    theirs = [(f.name, f.type, f.categories, f.nullable) for f in challenger.features]
    if ours != theirs:
        raise ModelError(
            f"challenger {challenger.version} takes other fields than champion {champion.version}"
        )


def class_of(probability: float, threshold: float) -> str:
    """The decision at this probability."""
    return "fraud" if probability >= threshold else "legitimate"


def _fulfil(answer: Future[list[float]], scorer: Scorer, rows: Rows) -> None:
    try:
        probabilities = scorer.score(rows)
    except Exception as error:
        answer.set_exception(error)
        raise
    answer.set_result(probabilities)
