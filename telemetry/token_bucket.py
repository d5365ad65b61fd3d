"""A bound on how often something is done."""

from __future__ import annotations

import time
from collections.abc import Callable
from threading import Lock


class TokenBucket:
    """At most `per_second` takes a second on average, and that many at once."""

    def __init__(self, per_second: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._per_second = per_second
        self._clock = clock
        self._tokens = per_second
        self._filled_at = clock()
        self._lock = Lock()

    def take(self, leave: float = 0) -> bool:
        """True where a token was there beside those to `leave`."""
        with self._lock:
            now = self._clock()
            gained = (now - self._filled_at) * self._per_second
            self._tokens = min(self._per_second, self._tokens + gained)
            self._filled_at = now
            if self._tokens < 1 + leave:
                return False
            self._tokens -= 1
            return True
