"""A histogram of durations, in memory that does not grow with their number."""

from __future__ import annotations

import math
from collections import Counter
from typing import Final

# Neighbouring bins differ by 1 %, so a quantile is off by half a percent at most.
_GROWTH: Final = math.log(1.01)
_SHORTEST: Final = 1e-6


class LatencyHistogram:
    """Seconds, counted in bins of 1 % width from a microsecond on."""

    def __init__(self) -> None:
        self._bins: Counter[int] = Counter()
        self.count = 0
        self.largest: float | None = None

    def add(self, seconds: float) -> None:
        """Counts one duration; what is shorter than a microsecond counts as one."""
        seconds = max(seconds, _SHORTEST)
        self._bins[math.floor(math.log(seconds / _SHORTEST) / _GROWTH)] += 1
        self.count += 1
        self.largest = max(seconds, self.largest or 0.0)

    def quantile(self, share: float) -> float | None:
        """The shortest duration that `share` of all do not exceed, to 0.5 %; None without any."""
        rank = max(1, math.ceil(share * self.count))
        for bin_, number in sorted(self._bins.items()):
            rank -= number
            if rank <= 0:
                return min(_SHORTEST * math.exp((bin_ + 0.5) * _GROWTH), self.largest or math.inf)
        return None
