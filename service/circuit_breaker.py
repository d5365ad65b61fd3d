"""Stops waiting for somebody who does not answer in time, and tries again after a while."""

from __future__ import annotations

import time
from collections.abc import Callable
from threading import Lock

RETRY_SECONDS = 10.0


class CircuitBreaker:
    """Closed: each wait may take `wait_seconds`. Open after one that was in vain: nobody waits, but
    for one trial each RETRY_SECONDS; the first that succeeds closes it."""

    def __init__(self, wait_seconds: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._wait_seconds = wait_seconds
        self._clock = clock
        self._lock = Lock()
        self._retry_at: float | None = None

    def allowed_wait(self) -> float:
        """How long to wait this time, in seconds; 0 while it is open."""
        with self._lock:
            now = self._clock()
            if self._retry_at is not None:
                if now < self._retry_at:
                    return 0.0
                self._retry_at = now + RETRY_SECONDS
            return self._wait_seconds

    def is_open(self) -> bool:
        """True from a wait that was in vain to the next success; takes no trial."""
        with self._lock:
            return self._retry_at is not None

    def record_success(self) -> None:
        """What was waited for came in time."""
        with self._lock:
            self._retry_at = None

    def record_failure(self) -> None:
        """It did not come."""
        with self._lock:
            self._retry_at = self._clock() + RETRY_SECONDS
