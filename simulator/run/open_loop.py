"""Sends each request when it is due, whether or not earlier ones were answered.

A closed loop would send less while the target is slow, and so hide the slowness (coordinated
omission). Here a stall costs every request that falls into it, counted from when it was due.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable

from simulator.contract.errors import TargetError
from simulator.report.request_stats import TOO_LATE, TOO_MANY, Tally
from simulator.target.predict import Answer, Send
from simulator.traffic.request_plan import PlannedRequest

LATEST_SECONDS = 1.0
OnAnswer = Callable[[PlannedRequest, Answer], None]


async def run_open_loop(
    requests: Iterable[PlannedRequest],
    send: Send,
    tally: Tally,
    max_in_flight: int,
    on_answer: OnAnswer = lambda request, answer: None,
) -> None:
    """Returns when every request has come to its end; cancelling ends those under way at once.

    A request that is due while `max_in_flight` are under way, or that this machine is too busy to
    send within LATEST_SECONDS, is counted as not sent. So a run never takes longer than planned.
    """
    loop = asyncio.get_running_loop()
    start = loop.time()
    try:
        async with asyncio.TaskGroup() as under_way:
            for request in requests:
                due = start + request.at
                # Also without any time left: answers must be read while requests are due.
                await asyncio.sleep(max(0.0, due - loop.time()))
                late = loop.time() - due
                if tally.in_flight >= max_in_flight:
                    tally.leave_out(TOO_MANY)
                elif late > LATEST_SECONDS:
                    tally.leave_out(TOO_LATE)
                else:
                    tally.start(request, late)
                    under_way.create_task(_send_one(request, send, tally, due, on_answer))
    except ExceptionGroup as group:
        # Raised by `requests`, as by a table that was changed while it is replayed.
        sentences = group.subgroup(TargetError)
        raise sentences.exceptions[0] if sentences else group from None
    finally:
        tally.interrupt()
        tally.duration = loop.time() - start


async def _send_one(
    request: PlannedRequest, send: Send, tally: Tally, due: float, on_answer: OnAnswer
) -> None:
    outcome = await send(request)
    tally.finish(request, outcome, asyncio.get_running_loop().time() - due)
    if isinstance(outcome, Answer):
        on_answer(request, outcome)
