"""The arrival process of an open-loop load: when requests are due, whatever the answers.

Times are seconds after the start, ascending.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import takewhile
from random import Random
from typing import Final

from simulator.transactions.random_numbers import derive_random

THINK_SECONDS: Final = (1.0, 5.0)


@dataclass(frozen=True)
class LoadProfile:
    """`rate` requests a second, or one user's think times (None); at most `count` in `duration` s.

    Without `duration` the arrivals have no end.
    """

    rate: float | None = None
    count: int | None = None
    duration: float | None = None

    def generate_arrivals(self, seed: int) -> Iterator[float]:
        """When requests are due, within the duration; `count` is left to whoever sends."""
        random, end = derive_random(seed, "arrivals"), self.duration
        due = (
            generate_think_times(random)
            if self.rate is None
            else generate_poisson(random, self.rate)
        )
        return due if end is None else takewhile(lambda seconds: seconds < end, due)


def generate_think_times(random: Random) -> Iterator[float]:
    """One user: a request every 1 to 5 seconds, any pause as likely as any other."""
    shortest, longest = THINK_SECONDS
    due = 0.0
    while True:
        due += shortest + (longest - shortest) * random.random()
        yield due


def generate_poisson(random: Random, rate: float) -> Iterator[float]:
    """A Poisson process, as of many independent users: `rate` requests a second on average."""
    due = 0.0
    while True:
        due -= math.log1p(-random.random()) / rate
        yield due
