"""Labels that come late: the truth about each answered prediction goes back by POST /feedback.

A label waits until it is due and goes with others in one request, one request at a time. What
could not be delivered is sent again: the target counts a receipt once, however often it comes.
"""

from __future__ import annotations

import asyncio
import heapq
import math
from collections.abc import Callable
from dataclasses import dataclass

from simulator.report.label_stats import NO_PLACE, NO_RECEIPT, REFUSED, RUN_ENDED, LabelTally
from simulator.target.feedback import NotTaken, PostFeedback
from simulator.target.predict import Answer
from simulator.traffic.request_plan import PlannedRequest

# Each takes about 600 bytes.
MOST_WAITING = 100_000
_LOOK_SECONDS = 0.1
_PAUSE_SECONDS = (0.5, 8.0)
# How long a target that takes no labels is asked again after the run.
_LAST_SECONDS = 15.0


@dataclass(slots=True)
class _Label:
    receipt: str
    predicted: str
    truth: str
    sent_before: bool = False


class LabelDesk:
    """Takes answers as they come, and sends their labels when they are due.

    `due_at`: when a label is sent that is known so many seconds after the start. `batch`: most
    labels in one request. `most_waiting` bounds what is kept; labels beyond it are left out.
    """

    def __init__(
        self,
        post: PostFeedback,
        due_at: Callable[[float], float],
        clock: Callable[[], float],
        batch: int,
        most_waiting: int = MOST_WAITING,
    ) -> None:
        self.tally = LabelTally()
        self._post, self._due_at, self._clock = post, due_at, clock
        self._start = clock()
        self._batch, self._most_waiting = batch, most_waiting
        self._waiting: list[tuple[float, int, _Label]] = []
        self._again: list[_Label] = []
        self._released = False
        self._other = 0.5

    def take(self, request: PlannedRequest, answer: Answer) -> None:
        """Keeps the label of an answered prediction until it is due."""
        if request.label is None or answer.status != 200 or answer.predicted is None:
            return
        own = answer.probability or 0.0
        truth = request.label.resolved(own, self._other)
        self._other = own
        self.tally.known += 1
        self.tally.from_answers += request.label.truth is None
        if answer.receipt is None:
            self.tally.left_out[NO_RECEIPT] += 1
        elif len(self._waiting) + len(self._again) >= self._most_waiting:
            self.tally.left_out[NO_PLACE] += 1
        else:
            known = self._clock() - self._start + request.label.delay
            label = _Label(answer.receipt, answer.predicted, truth)
            entry = (self._due_at(known), self.tally.known, label)
            heapq.heappush(self._waiting, entry)

    async def run(self) -> None:
        """Sends what is due, without end; cancel it."""
        pause = _PAUSE_SECONDS[0]
        while True:
            batch = self._next_batch()
            if not batch:
                await asyncio.sleep(_LOOK_SECONDS)
            elif await self._deliver(batch):
                pause = _PAUSE_SECONDS[0]
            else:
                await asyncio.sleep(pause)
                pause = min(2 * pause, _PAUSE_SECONDS[1])

    async def finish(self, patience: float) -> None:
        """Waits up to `patience` seconds for labels to fall due, then sends the others too."""
        await self._until_due(patience)
        self._release()
        await self._until_empty()

    def close(self) -> None:
        """What waits now is never sent."""
        self.tally.left_out[RUN_ENDED] += len(self._waiting) + len(self._again)
        self._waiting.clear()
        self._again.clear()

    async def _until_due(self, patience: float) -> None:
        deadline = self._clock() + patience
        while self._waiting and self._waiting[0][0] + self._start <= deadline > self._clock():
            await asyncio.sleep(_LOOK_SECONDS)

    async def _until_empty(self) -> None:
        """Returns when all are delivered, or none more for _LAST_SECONDS."""
        left = len(self._waiting) + len(self._again)
        deadline = self._clock() + _LAST_SECONDS
        while left and self._clock() < deadline:
            await asyncio.sleep(_LOOK_SECONDS)
            now_left = len(self._waiting) + len(self._again)
            if now_left < left:
                left, deadline = now_left, self._clock() + _LAST_SECONDS

    def _release(self) -> None:
        now = self._clock() - self._start
        self.tally.early += sum(due > now for due, _, _ in self._waiting)
        self._waiting = [(-math.inf, number, label) for _, number, label in self._waiting]
        heapq.heapify(self._waiting)

    def _next_batch(self) -> list[_Label]:
        now = self._clock() - self._start
        while self._waiting and self._waiting[0][0] <= now and len(self._again) < self._batch:
            self._again.append(heapq.heappop(self._waiting)[2])
        return self._again[: self._batch]

    async def _deliver(self, batch: list[_Label]) -> bool:
        """False where it is better to wait before the next one."""
        self.tally.posts += 1
        answer = await self._post([(label.receipt, label.truth) for label in batch])
        if isinstance(answer, NotTaken):
            return self._not_taken(batch, answer)
        self._again = self._again[len(batch) :]
        delivered = True
        for label, result in zip(batch, answer, strict=True):
            if result == "unavailable":
                delivered = False
                label.sent_before = True
                self._again.append(label)
            else:
                self.tally.told(result, label.predicted, label.truth, label.sent_before)
        return delivered

    def _not_taken(self, batch: list[_Label], answer: NotTaken) -> bool:
        self.tally.failed_posts[answer.reason] += 1
        if answer.too_many and len(batch) > 1:
            self._batch = len(batch) // 2
            return True
        if answer.final:
            self.tally.results[REFUSED] += len(batch)
            self._again = self._again[len(batch) :]
            return True
        for label in batch:
            label.sent_before = True
        return False
