"""An open-loop load generator: each request is sent when it is due, whatever came of earlier ones.

A closed loop would send less while the target is slow, and so hide the slowness (coordinated
omission). Here a stall costs every request that falls into it, counted from when it was due.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from typing import Final

from simulator.contract.errors import ReplayError
from simulator.report.request_stats import TOO_LATE, TOO_MANY_IN_FLIGHT, RequestStats
from simulator.target.predict import Response, SendRequest
from simulator.traffic.planned_request import PlannedRequest

MAX_DELAY_SECONDS: Final = 1.0
OnResponse = Callable[[PlannedRequest, Response], None]


async def run_open_loop(
    requests: Iterable[PlannedRequest],
    send: SendRequest,
    stats: RequestStats,
    max_in_flight: int,
    on_response: OnResponse = lambda request, response: None,
) -> None:
    """Returns when every request has come to its end; cancelling ends those in flight at once.

    A request that is due while `max_in_flight` are in flight, or that this machine is too busy to
    send within MAX_DELAY_SECONDS, is counted as not sent. So a run takes no longer than planned.
    """
    loop = asyncio.get_running_loop()
    start = loop.time()
    try:
        async with asyncio.TaskGroup() as in_flight:
            for request in requests:
                due = start + request.due
                # Also without any time left: answers must be read while requests are due.
                await asyncio.sleep(max(0.0, due - loop.time()))
                delay = loop.time() - due
                if stats.in_flight >= max_in_flight:
                    stats.skip(TOO_MANY_IN_FLIGHT)
                elif delay > MAX_DELAY_SECONDS:
                    stats.skip(TOO_LATE)
                else:
                    stats.start(request, delay)
                    in_flight.create_task(_send_one(request, send, stats, due, on_response))
    except ExceptionGroup as group:
        # Raised by `requests`, as by a table that was changed while it is replayed.
        sentences = group.subgroup(ReplayError)
        raise sentences.exceptions[0] if sentences else group from None
    finally:
        stats.interrupt()
        stats.duration = loop.time() - start


async def _send_one(
    request: PlannedRequest,
    send: SendRequest,
    stats: RequestStats,
    due: float,
    on_response: OnResponse,
) -> None:
    outcome = await send(request)
    stats.finish(request, outcome, asyncio.get_running_loop().time() - due)
    if isinstance(outcome, Response):
        on_response(request, outcome)
