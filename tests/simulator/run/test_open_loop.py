"""Requests go out when they are due, and what they wait counts from there."""

from __future__ import annotations

import asyncio
import time

import pytest

from simulator.contract.errors import TargetError
from simulator.report.request_stats import INTERRUPTED, TOO_LATE, Tally
from simulator.run.open_loop import run_open_loop
from simulator.target.predict import Answer
from simulator.traffic.request_plan import Mix, Pace, plan_requests

ANSWER = Answer(200, "legitimate", "basic", "low")


def plan(info, rate, count):
    """Valid requests at a rate."""
    return plan_requests(info, 1, Pace(rate, count), Mix(0, 1))


def test_open_loop_does_not_wait_for_answers(info):
    """Fifty requests that take half a second each are all under way at once."""
    tally, most = Tally(), []

    async def slow(request):
        most.append(tally.in_flight)
        await asyncio.sleep(0.5)
        return ANSWER

    asyncio.run(run_open_loop(plan(info, 500, 50), slow, tally, 1000))

    assert max(most) == 50
    assert tally.answered == 50 and tally.in_flight == 0


def test_open_loop_counts_from_when_a_request_was_due(info):
    """A sender that is held up itself shows it: those it sent late waited all the same."""
    tally, held = Tally(), []

    async def send(request):
        if not held:
            held.append(True)
            time.sleep(0.5)
        return ANSWER

    asyncio.run(run_open_loop(plan(info, 100, 45), send, tally, 1000))

    assert tally.start_delay.quantile(0.5) > 0.1
    assert tally.latency.quantile(0.5) > 0.1
    assert tally.latency.largest >= 0.5


def test_open_loop_tells_what_ends_the_requests(info):
    """A table that cannot be read any further is one sentence, not a trace."""

    def broken():
        yield from plan(info, 500, 5)
        raise TargetError("row 5: gone")

    async def send(request):
        return ANSWER

    with pytest.raises(TargetError, match="row 5: gone"):
        asyncio.run(run_open_loop(broken(), send, Tally(), 1000))


def test_open_loop_bounds_what_is_under_way(info):
    """Further requests are refused and counted, none is kept for later."""
    tally, sent = Tally(), []

    async def never(request):
        sent.append(request.number)
        await asyncio.sleep(0.5)
        return ANSWER

    asyncio.run(run_open_loop(plan(info, 1000, 100), never, tally, 7))

    assert sent == list(range(7))
    assert tally.not_sent.total() == 93
    assert tally.failed_share == 0.93


def test_open_loop_leaves_out_what_it_could_only_send_late(info):
    """A busy machine does not make a run longer, nor burst when it can go on."""
    tally, held = Tally(), []

    async def send(request):
        if not held:
            held.append(True)
            time.sleep(2)
        return ANSWER

    asyncio.run(run_open_loop(plan(info, 100, 150), send, tally, 1000))

    assert 50 < tally.not_sent[TOO_LATE] < 130
    assert tally.total_sent + tally.not_sent[TOO_LATE] == 150
    assert tally.start_delay.largest < 1.5


def test_open_loop_cancelled_counts_what_was_under_way(info):
    """Also requests that were handed over but had not begun."""
    tally = Tally()

    async def hang(request):
        await asyncio.sleep(60)
        return ANSWER

    async def cancelled():
        loop = asyncio.create_task(run_open_loop(plan(info, 200, None), hang, tally, 1000))
        await asyncio.sleep(0.3)
        loop.cancel()
        await loop

    with pytest.raises(asyncio.CancelledError):
        asyncio.run(cancelled())
    assert tally.unanswered[INTERRUPTED] == tally.total_sent > 10
    assert tally.in_flight == 0 and tally.failed_share == 0


def test_open_loop_error_of_the_sender_is_not_swallowed(info):
    """A fault in this program ends it, instead of counting as the target's."""

    async def broken(request):
        raise ZeroDivisionError

    with pytest.raises(ExceptionGroup):
        asyncio.run(run_open_loop(plan(info, 100, 5), broken, Tally(), 10))
