"""One caller at a time talks to a store, and nobody waits for a store that hangs."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Lock

from service.circuit_breaker import CircuitBreaker
from service.used_receipts import STORE_SECONDS, UsedReceiptsError

# A call that takes longer has stalled: whoever queues behind it gives up.
STALL_SECONDS = 0.5
_STEP_SECONDS = 0.02


class StoreTurn:
    """Hands out turns. While a call stalls it holds one thread of the worker and no other.

    A call that failed slowly opens the circuit breaker: until its next trial every caller is
    refused at once. An error that came at once cost nobody anything and opens nothing.
    """

    def __init__(
        self,
        breaker: CircuitBreaker | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._breaker = breaker or CircuitBreaker(STORE_SECONDS)
        self._clock = clock
        self._lock = Lock()
        self._began: float | None = None

    @contextmanager
    def take(self) -> Iterator[None]:
        """A turn; UsedReceiptsError where the store is known not to answer."""
        self._acquire()
        began = self._began = self._clock()
        try:
            yield
        except UsedReceiptsError:
            if self._clock() - began >= STALL_SECONDS:
                self._breaker.record_failure()
            raise
        else:
            self._breaker.record_success()
        finally:
            self._began = None
            self._lock.release()

    def _acquire(self) -> None:
        wait = 0.0
        while not self._lock.acquire(timeout=wait):
            if self._breaker.is_open() or self._has_stalled():
                raise UsedReceiptsError("another call to the store has not been answered yet")
            wait = _STEP_SECONDS
        if not self._breaker.allowed_wait():
            self._lock.release()
            raise UsedReceiptsError("the store did not answer a moment ago")

    def _has_stalled(self) -> bool:
        began = self._began
        return began is not None and self._clock() - began > STALL_SECONDS
