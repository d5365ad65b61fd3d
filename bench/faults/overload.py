"""More requests than can be served: what is refused, how soon, and what is served beside it."""

from __future__ import annotations

import asyncio
import json
import time
from dataclasses import dataclass

from bench.faults.load import Outcome, send_closed_loop, send_open_loop
from tests.lab.handler import Handler
from tests.lab.traffic import TRANSACTION

# A batch costs the service much more than it costs the client, which shares the processors.
BATCH = json.dumps({"transactions": [TRANSACTION] * 300}).encode()


@dataclass(frozen=True)
class OverloadResult:
    """`factor` times the capacity; seconds after its end until an answer took half a second."""

    factor: float
    capacity: float
    outcome: Outcome
    recovered_after: float


async def find_capacity(handler: Handler, seconds: float) -> float:
    """Batches a second that are served with four at a time (closed loop)."""
    outcomes = await asyncio.gather(
        *(send_closed_loop(handler.url, seconds, BATCH) for _ in range(4))
    )
    return sum(one.goodput for one in outcomes)


async def measure(
    handler: Handler, factor: float, capacity: float, seconds: float
) -> OverloadResult:
    """Open loop at `factor` times the capacity."""
    outcome = await send_open_loop(handler.url, factor * capacity, seconds, lambda _: BATCH)
    ended = time.perf_counter()
    while time.perf_counter() - ended < 30:
        one = await send_open_loop(handler.url, 1, 1, lambda _: BATCH)
        if one.accepted and one.accepted[0] < 0.5:
            break
    return OverloadResult(factor, capacity, outcome, time.perf_counter() - ended)
