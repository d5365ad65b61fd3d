"""A pool of threads with a bounded queue, for calls that are awaited on an event loop.

A queue that stands makes everybody wait and serves nobody sooner: once no thread has been free for
a while a call that would wait too long is refused at once, and one that has waited too long is not
made (controlled delay: Nichols and Jacobson 2012; Maurer 2015, 'Fail at scale'). A burst, after
which no more calls come, is served.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from queue import SimpleQueue
from typing import Any, TypeVar

T = TypeVar("T")
# In seconds. After so long without a free thread the queue stands.
_STANDS_AFTER = 0.25
_MOST_WAIT = 0.1
# Also of a burst, and behind threads that hang.
_LONGEST_WAIT = 5.0
# Without a call for so long it was a burst.
_BURST_ENDS_AFTER = 0.1
# Weight of the latest call in the mean time of one.
_SMOOTHING = 0.1


class PoolFull(Exception):
    """All threads are busy and the queue is full, or stands."""


@dataclass(eq=False, slots=True)
class _Call:
    loop: asyncio.AbstractEventLoop
    future: asyncio.Future[Any]
    make: Callable[[], Any]
    queued: float


class _Place:
    """A call's place in the queue; what is given up leaves an empty one, that holds no request."""

    __slots__ = ("_call",)

    def __init__(self, call: _Call) -> None:
        self._call = [call]

    def claim(self) -> _Call | None:
        """The call, once: for the thread that makes it, or for who gives it up."""
        try:
            return self._call.pop()
        except IndexError:
            return None


class BoundedThreads:
    """`threads` threads, and at most `waiting` calls that wait for one.

    The threads are daemons: one that hangs does not keep the process from its last export.
    """

    def __init__(self, name: str, threads: int, waiting: int) -> None:
        self._calls: SimpleQueue[_Place] = SimpleQueue()
        self._threads = threads
        self._most = threads + waiting
        # When a thread was last free, of the monotonic clock.
        self._free_at = 0.0
        self._called_at = 0.0
        self._call_seconds = 0.0
        self._unfinished = 0
        # When each thread began its present call; None for a free one.
        self._began: list[float | None] = [None] * threads
        for number in range(threads):
            thread = threading.Thread(
                target=self._run, args=(number,), name=f"{name} {number}", daemon=True
            )
            thread.start()

    async def run(self, call: Callable[[], T]) -> T:
        """The result of `call`, made in one of the threads; raises PoolFull, at once where it is
        turned away."""
        if self.turns_away():
            raise PoolFull
        now = self._called_at
        waits = self._unfinished >= self._threads
        self._unfinished += 1
        loop = asyncio.get_running_loop()
        future: asyncio.Future[T] = loop.create_future()
        place = _Place(_Call(loop, future, call, now))
        self._calls.put(place)
        if not waits:
            return await future
        timer = loop.call_later(_LONGEST_WAIT, self._give_up, place)
        try:
            return await future
        finally:
            timer.cancel()

    def turns_away(self) -> bool:
        """True for a call that comes now where the queue is full or stands."""
        now = self._called_at = time.monotonic()
        if self._unfinished < self._threads:
            self._free_at = now
            return False
        return self._unfinished >= self._most or self._would_wait(now) > _MOST_WAIT

    def longest_running(self) -> float:
        """Seconds since the oldest of the calls began that are being made; 0 without one."""
        began = [one for one in self._began if one is not None]
        return time.monotonic() - min(began) if began else 0.0

    def _give_up(self, place: _Place) -> None:
        call = place.claim()
        if call is not None:
            self._settle(call.future, None, PoolFull(), None)

    def _run(self, number: int) -> None:
        while True:
            call = self._calls.get().claim()
            if call is None:
                continue
            result, error, seconds = None, None, None
            began = self._began[number] = time.monotonic()
            try:
                self._check_wait(call.queued, began)
                try:
                    result = call.make()
                finally:
                    seconds = time.monotonic() - began
            except Exception as raised:
                error = raised
            self._began[number] = None
            # The loop may be closed by now: the process ends.
            with contextlib.suppress(RuntimeError):
                call.loop.call_soon_threadsafe(self._settle, call.future, result, error, seconds)
            del call, result, error

    def _stands(self, now: float) -> bool:
        return now - self._free_at > _STANDS_AFTER

    def _would_wait(self, now: float) -> float:
        """Seconds that a call of now would wait where the queue stands, else 0."""
        if not self._stands(now):
            return 0
        return (self._unfinished - self._threads + 1) * self._call_seconds / self._threads

    def _check_wait(self, queued: float, now: float) -> None:
        more_come = now - self._called_at < _BURST_ENDS_AFTER
        if self._stands(now) and more_come and now - queued > _MOST_WAIT:
            raise PoolFull

    def _settle(
        self,
        future: asyncio.Future[Any],
        result: object,
        error: Exception | None,
        seconds: float | None,
    ) -> None:
        """`seconds` that the call took, None where it was not made."""
        self._unfinished -= 1
        if self._unfinished < self._threads:
            self._free_at = time.monotonic()
        if seconds is not None:
            self._call_seconds += _SMOOTHING * (seconds - self._call_seconds)
        if future.cancelled():
            return
        if error is not None:
            future.set_exception(error)
        else:
            future.set_result(result)
