"""Which connections give way where more are open than may be."""

from __future__ import annotations

import asyncio
import heapq
from collections.abc import Iterable
from typing import Protocol

# One in so many of the waiting connections is closed.
_GIVE_WAY = 20


class Connection(Protocol):
    """`waits_since`: seconds of the loop's clock, None while something is done for its client."""

    @property
    def transport(self) -> asyncio.Transport: ...

    def waits_since(self) -> float | None: ...


def close_longest_waiting(connections: Iterable[Connection]) -> bool:
    """Close those that have waited longest for their client; False where none waits.

    Some at a time, so that they need not be looked for at each new connection.
    """
    waiting = [(since, id(one), one) for one in connections if (since := one.waits_since())]
    for _, _, one in heapq.nsmallest(len(waiting) // _GIVE_WAY or 1, waiting):
        one.transport.abort()
    return bool(waiting)
