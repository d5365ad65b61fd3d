"""When requests are due: seconds after the start, ascending, without end."""

from __future__ import annotations

import math
from collections.abc import Iterator
from random import Random
from typing import Final

THINK_SECONDS: Final = (1.0, 5.0)


def think_times(random: Random) -> Iterator[float]:
    """One person: a request every 1 to 5 seconds, any pause as likely as any other."""
    shortest, longest = THINK_SECONDS
    due = 0.0
    while True:
        due += shortest + (longest - shortest) * random.random()
        yield due


def poisson(random: Random, rate: float) -> Iterator[float]:
    """Many people who know nothing of each other: `rate` requests a second on average."""
    due = 0.0
    while True:
        due -= math.log1p(-random.random()) / rate
        yield due
