"""Delayed labels (feedback): the label of each answered prediction is sent when it is due.

A label waits in a queue until it is due and goes with others in one request, one request at a time.
What could not be delivered is sent again: the target counts a receipt once, however often it comes.
"""

from __future__ import annotations

import asyncio
import heapq
import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final

from simulator.contract.vocabulary import RETRYABLE_RESULTS
from simulator.report.label_stats import (
    NO_RECEIPT,
    QUEUE_FULL,
    REFUSED,
    RUN_ENDED,
    LabelStats,
    Outcome,
)
from simulator.target.feedback import NotAccepted, PostFeedback
from simulator.target.predict import Response
from simulator.traffic.planned_request import PlannedRequest

# Each takes about 600 bytes.
MAX_WAITING: Final = 100_000
_POLL_SECONDS: Final = 0.1
_FIRST_BACKOFF_SECONDS: Final = 0.5
_LONGEST_BACKOFF_SECONDS: Final = 8.0
# How long a target that accepts no labels is asked again after the run.
_LAST_SECONDS: Final = 15.0


@dataclass(frozen=True, slots=True)
class _WaitingLabel:
    receipt: str
    outcome: Outcome
    is_retry: bool = False


class LabelSender:
    """Queues the labels of answers as they come, and sends each when it is due.

    `due_at`: when a label is sent that is known so many seconds after the start. `batch`: most
    labels in one request. `max_waiting` bounds the queue; labels beyond it are not sent.
    """

    def __init__(
        self,
        post: PostFeedback,
        due_at: Callable[[float], float],
        clock: Callable[[], float],
        batch: int,
        max_waiting: int = MAX_WAITING,
    ) -> None:
        self.stats = LabelStats()
        self._post, self._due_at, self._clock = post, due_at, clock
        self._start = clock()
        self._batch, self._max_waiting = batch, max_waiting
        self._queue: list[tuple[float, int, _WaitingLabel]] = []
        """A heap by the moment when each is due, in seconds after the start."""
        self._due: list[_WaitingLabel] = []
        """Due, and not delivered yet."""
        self._other_probability = 0.5

    def enqueue(self, request: PlannedRequest, response: Response) -> None:
        """Queues the label of an answered prediction, where one is planned."""
        if request.label is None or response.status != 200 or response.predicted_class is None:
            return
        own_probability = response.fraud_probability or 0.0
        true_class = request.label.resolve(own_probability, self._other_probability)
        self._other_probability = own_probability
        self.stats.planned += 1
        self.stats.from_answers += request.label.true_class is None
        if response.receipt is None:
            self.stats.not_sent[NO_RECEIPT] += 1
        elif self._waiting >= self._max_waiting:
            self.stats.not_sent[QUEUE_FULL] += 1
        else:
            known = self._elapsed() + request.label.delay
            outcome = Outcome(response.predicted_class, true_class)
            label = _WaitingLabel(response.receipt, outcome)
            heapq.heappush(self._queue, (self._due_at(known), self.stats.planned, label))

    async def run(self) -> None:
        """Sends what is due, without end; cancel it."""
        backoff = _FIRST_BACKOFF_SECONDS
        while True:
            batch = self._next_batch()
            if not batch:
                await asyncio.sleep(_POLL_SECONDS)
            elif await self._deliver(batch):
                backoff = _FIRST_BACKOFF_SECONDS
            else:
                await asyncio.sleep(backoff)
                backoff = min(2 * backoff, _LONGEST_BACKOFF_SECONDS)

    async def drain(self, wait: float) -> None:
        """Waits up to `wait` seconds for labels to fall due, then sends the others too."""
        await self._wait_until_due(wait)
        self._make_all_due()
        await self._wait_until_delivered()

    def close(self) -> None:
        """What waits now is never sent."""
        self.stats.not_sent[RUN_ENDED] += self._waiting
        self._queue.clear()
        self._due.clear()

    @property
    def _waiting(self) -> int:
        return len(self._queue) + len(self._due)

    def _elapsed(self) -> float:
        return self._clock() - self._start

    async def _wait_until_due(self, wait: float) -> None:
        deadline = self._clock() + wait
        while self._queue and self._queue[0][0] + self._start <= deadline > self._clock():
            await asyncio.sleep(_POLL_SECONDS)

    async def _wait_until_delivered(self) -> None:
        """Returns when all are delivered, or none more for _LAST_SECONDS."""
        left = self._waiting
        deadline = self._clock() + _LAST_SECONDS
        while left and self._clock() < deadline:
            await asyncio.sleep(_POLL_SECONDS)
            if self._waiting < left:
                left, deadline = self._waiting, self._clock() + _LAST_SECONDS

    def _make_all_due(self) -> None:
        elapsed = self._elapsed()
        self.stats.early += sum(due > elapsed for due, _, _ in self._queue)
        self._queue = [(-math.inf, number, label) for _, number, label in self._queue]
        heapq.heapify(self._queue)

    def _next_batch(self) -> list[_WaitingLabel]:
        elapsed = self._elapsed()
        while self._queue and self._queue[0][0] <= elapsed and len(self._due) < self._batch:
            self._due.append(heapq.heappop(self._queue)[2])
        return self._due[: self._batch]

    async def _deliver(self, batch: list[_WaitingLabel]) -> bool:
        """False where it is better to wait before the next one."""
        self.stats.posts += 1
        answer = await self._post([(label.receipt, label.outcome.true_class) for label in batch])
        if isinstance(answer, NotAccepted):
            return self._handle_refusal(batch, answer)
        self._due = self._due[len(batch) :]
        delivered = True
        for label, result in zip(batch, answer, strict=True):
            if result in RETRYABLE_RESULTS:
                delivered = False
                self._due.append(replace(label, is_retry=True))
            else:
                self.stats.count_result(result, label.outcome, label.is_retry)
        return delivered

    def _handle_refusal(self, batch: list[_WaitingLabel], refusal: NotAccepted) -> bool:
        """False where it is better to wait before the next one."""
        self.stats.failed_posts[refusal.reason] += 1
        if refusal.too_many and len(batch) > 1:
            self._batch = len(batch) // 2
            return True
        if refusal.final:
            self.stats.results[REFUSED] += len(batch)
            self._due = self._due[len(batch) :]
            return True
        self._due[: len(batch)] = [replace(label, is_retry=True) for label in batch]
        return False
