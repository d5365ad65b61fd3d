"""A second model beside the champion: in the shadow, or serving a share of the traffic.

In the shadow it scores what the champion has scored, aside: its failure, slowness or absence never
touches an answer. Where it serves, it has a time limit, and the champion answers in its place.
"""

from __future__ import annotations

import hashlib
import random
from collections.abc import Sequence
from concurrent.futures import Future
from concurrent.futures import TimeoutError as Late
from dataclasses import dataclass

from aside import Aside
from model.card import Card
from model.errors import ModelError
from model.scorer import Scorer
from telemetry.recorder import Recorder

Rows = Sequence[Sequence[float]]


@dataclass(frozen=True)
class Shares:
    """Percentages of the requests: scored in the shadow, and served; and the time to serve in."""

    shadow_percent: int
    serves_percent: int
    timeout_seconds: float


class Challenger:
    """Scores with the challenging model and counts how it compares."""

    def __init__(self, scorer: Scorer, shares: Shares, recorder: Recorder) -> None:
        self.scorer = scorer
        self.shares = shares
        self._recorder = recorder
        self._aside = Aside("challenger")

    def serves(self, key: str) -> bool:
        """True if requests with this key are the challenger's: always the same for the same key."""
        place = int.from_bytes(hashlib.sha256(key.encode()).digest()[:8]) % 10_000
        return place < self.shares.serves_percent * 100

    def score(self, rows: Rows) -> list[float] | None:
        """Its probabilities within the time limit; None means that the champion must answer."""
        answer: Future[list[float]] = Future()
        if not self._aside.offer(lambda: _fulfil(answer, self.scorer, rows)):
            self._recorder.challenged("skipped")
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

    def shadow(self, rows: Rows, champion: Sequence[float], threshold: float) -> None:
        """Score the share of requests that is looked at, later and aside, and compare."""
        if random.random() * 100 >= self.shares.shadow_percent:
            return
        if not self._aside.offer(lambda: self._compare(rows, champion, threshold)):
            self._recorder.challenged("skipped")

    def _compare(self, rows: Rows, champion: Sequence[float], threshold: float) -> None:
        try:
            own = self.scorer.score(rows)
        except Exception:
            self._recorder.challenged("failed")
            raise
        self._recorder.challenged("scored")
        mine = self.scorer.card.threshold
        for theirs, ours in zip(champion, own, strict=True):
            self._recorder.compared(_name(theirs, threshold), _name(ours, mine), abs(theirs - ours))


def check_same_schema(champion: Card, challenger: Card) -> None:
    """Raises ModelError unless both models take the same fields, so that each can take the other's
    requests."""
    ours = [(f.name, f.type, f.categories, f.nullable) for f in champion.features]
    theirs = [(f.name, f.type, f.categories, f.nullable) for f in challenger.features]
    if ours != theirs:
        raise ModelError(
            f"challenger {challenger.version} takes other fields than champion {champion.version}"
        )


def _fulfil(answer: Future[list[float]], scorer: Scorer, rows: Rows) -> None:
    try:
        answer.set_result(scorer.score(rows))
    except Exception as error:
        answer.set_exception(error)


def _name(probability: float, threshold: float) -> str:
    return "fraud" if probability >= threshold else "legitimate"
