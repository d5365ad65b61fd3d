"""A second model beside the champion: in the shadow, or serving a share of the traffic.

In the shadow it scores in the background what the champion scores: its failure, slowness or absence
never touches an answer; an answer waits a few milliseconds for its decision, and not at all while a
circuit breaker is open. Where it serves, it has a time limit, and the champion answers in its
place.
"""

from __future__ import annotations

import hmac
import random
from collections.abc import Sequence
from concurrent.futures import Future
from dataclasses import dataclass

from model.serving.card import Card
from model.serving.errors import ModelError
from model.serving.scorer import Scorer
from service.background import BackgroundWorker
from service.circuit_breaker import CircuitBreaker
from service.decisions import Prediction, decide_class, score_rows
from telemetry.metrics import CHALLENGER, CHAMPION, SPLIT_BUCKETS
from telemetry.recorder import Recorder

Rows = Sequence[Sequence[float]]
Probabilities = Future[list[float]]


@dataclass(frozen=True)
class TrafficSplit:
    """Percentages of the requests that are scored in the shadow and that are served; the time limit
    for serving and the time that an answer waits for the shadow, in seconds.

    `secret` decides with a routing key which requests are served: the same on all replicas.
    """

    shadow_percent: int
    serves_percent: int
    timeout_seconds: float
    wait_seconds: float = 0.005
    secret: bytes = b""


class Challenger:
    """Scores with the challenging model and counts how it compares."""

    def __init__(self, scorer: Scorer, split: TrafficSplit, recorder: Recorder) -> None:
        self.scorer = scorer
        self.split = split
        self._recorder = recorder
        # Answers wait for it a little, and all threads while it holds the interpreter: a thread of
        # low priority that is kept from the processor would hold it for long.
        self._worker = BackgroundWorker("challenger", nice=False)
        self._breaker = CircuitBreaker(split.wait_seconds)

    def serves(self, routing_key: str, transactions: int) -> bool:
        """True if a request with this key is the challenger's: always the same for the same key.

        A caller cannot compute it and so choose a key for the model that he wants. Where it serves
        at all, counts how the split should divide so many transactions.
        """
        if not self.split.serves_percent:
            return False
        digest = hmac.digest(self.split.secret, routing_key.encode(), "sha256")
        # Another part of the digest: which bucket a key is in says nothing about who answers it.
        bucket = SPLIT_BUCKETS[digest[8] % len(SPLIT_BUCKETS)]
        serves = int.from_bytes(digest[:8]) % 10_000 < self.split.serves_percent * 100
        role, share = CHALLENGER if serves else CHAMPION, self.split.serves_percent / 100
        self._recorder.record_split(role, bucket, share, transactions)
        return serves

    def start_scoring(self, rows: Rows) -> Probabilities | None:
        """Score in the background; None where its queue is full."""
        future: Probabilities = Future()
        if self._worker.submit(lambda: _score_into(future, self.scorer, rows)):
            return future
        self._recorder.record_challenger_request("skipped")
        return None

    def await_serving(self, future: Probabilities | None) -> Prediction | None:
        """What it answers within the time limit; None means that the champion must answer."""
        if future is None:
            return None
        try:
            probabilities = future.result(self.split.timeout_seconds)
        except TimeoutError:
            self._recorder.record_challenger_request("late")
            return None
        except Exception:
            self._recorder.record_challenger_request("failed")
            return None
        self._recorder.record_challenger_request("scored")
        return Prediction(self.scorer.card, probabilities)

    def start_shadow(self, rows: Rows) -> Probabilities | None:
        """Score in the background the share of requests that is sampled, and count what becomes of
        it."""
        if random.random() * 100 >= self.split.shadow_percent:
            return None
        future = self.start_scoring(rows)
        if future is None:
            self._breaker.record_failure()
            return None
        future.add_done_callback(self._count_shadow)
        return future

    def await_shadow(self, future: Probabilities) -> Prediction | None:
        """The shadow's prediction, if it comes while it is worth waiting for."""
        seconds = self._breaker.allowed_wait()
        try:
            probabilities = future.result(seconds)
        except Exception:
            if seconds:
                self._breaker.record_failure()
            return None
        if seconds:
            self._breaker.record_success()
        return Prediction(self.scorer.card, probabilities)

    def compare_later(self, future: Probabilities, champion: Prediction) -> None:
        """Count how the two agree as soon as the challenger is ready: now, or in its own thread."""

        def count(done: Probabilities) -> None:
            if done.exception() is None:
                self.compare(champion, done.result())

        future.add_done_callback(count)

    def compare(self, champion: Prediction, probabilities: Sequence[float]) -> None:
        """Count how the champion's decisions and its own agree, transaction by transaction."""
        threshold, own_threshold = champion.card.threshold, self.scorer.card.threshold
        pairs = list(zip(champion.probabilities, probabilities, strict=True))
        self._recorder.record_comparisons(
            [(decide_class(a, threshold), decide_class(b, own_threshold)) for a, b in pairs],
            [abs(theirs - own) for theirs, own in pairs],
        )

    def _count_shadow(self, future: Probabilities) -> None:
        result = "scored" if future.exception() is None else "failed"
        self._recorder.record_challenger_request(result)


def check_same_schema(champion: Card, challenger: Card) -> None:
    """Raises ModelError unless both models take the same fields, so that each can take the other's
    requests."""
    ours = [(f.name, f.type, f.categories, f.nullable) for f in champion.features]
    theirs = [(f.name, f.type, f.categories, f.nullable) for f in challenger.features]
    if ours != theirs:
        raise ModelError(
            f"challenger {challenger.version} takes other fields than champion {champion.version}"
        )


def _score_into(future: Probabilities, scorer: Scorer, rows: Rows) -> None:
    try:
        future.set_result(score_rows(scorer, rows))
    except Exception as error:
        # Counted by whoever waits for the future: a log line for each request would be a flood.
        future.set_exception(error)
