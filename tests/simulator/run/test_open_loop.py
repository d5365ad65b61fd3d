"""Requests go out when they are due, and what they wait counts from there."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator

import pytest

from simulator.contract.errors import ReplayError
from simulator.contract.model_info import ModelInfo
from simulator.report.latency_histogram import LatencyHistogram
from simulator.report.request_stats import INTERRUPTED, TOO_LATE, RequestStats
from simulator.run.open_loop import run_open_loop
from simulator.target.predict import Response
from simulator.traffic.arrivals import LoadProfile
from simulator.traffic.invalid_share import InvalidShare
from simulator.traffic.planned_request import PlannedRequest
from simulator.traffic.request_plan import TrafficSpec, plan_requests

ANSWER = Response(200, "legitimate", "basic", "low")


def plan(info: ModelInfo, rate: float, count: int | None) -> Iterator[PlannedRequest]:
    """Valid requests at a rate."""
    return plan_requests(info, 1, TrafficSpec(LoadProfile(rate, count), InvalidShare(0, 1)))


def quantile(histogram: LatencyHistogram, share: float) -> float:
    """The quantile of a histogram that has some."""
    seconds = histogram.quantile(share)
    assert seconds is not None
    return seconds


def test_open_loop_does_not_wait_for_answers(info: ModelInfo) -> None:
    """Fifty requests that take half a second each are all under way at once."""
    stats = RequestStats()
    most: list[int] = []

    async def slow(request: PlannedRequest) -> Response:
        most.append(stats.in_flight)
        await asyncio.sleep(0.5)
        return ANSWER

    asyncio.run(run_open_loop(plan(info, 500, 50), slow, stats, 1000))

    assert max(most) == 50
    assert stats.answered == 50 and stats.in_flight == 0


def test_open_loop_counts_from_when_a_request_was_due(info: ModelInfo) -> None:
    """A sender that is held up itself shows it: those it sent late waited all the same."""
    stats = RequestStats()
    held: list[bool] = []

    async def send(request: PlannedRequest) -> Response:
        if not held:
            held.append(True)
            time.sleep(0.5)
        return ANSWER

    asyncio.run(run_open_loop(plan(info, 100, 45), send, stats, 1000))

    assert quantile(stats.start_delay, 0.5) > 0.1
    assert quantile(stats.latency, 0.5) > 0.1
    assert stats.latency.largest is not None and stats.latency.largest >= 0.5


def test_open_loop_reports_what_ends_the_requests(info: ModelInfo) -> None:
    """A table that cannot be read any further is one sentence, not a trace."""

    def broken() -> Iterator[PlannedRequest]:
        yield from plan(info, 500, 5)
        raise ReplayError("row 5: gone")

    async def send(request: PlannedRequest) -> Response:
        return ANSWER

    with pytest.raises(ReplayError, match="row 5: gone"):
        asyncio.run(run_open_loop(broken(), send, RequestStats(), 1000))


def test_open_loop_bounds_what_is_under_way(info: ModelInfo) -> None:
    """Further requests are refused and counted, none is kept for later."""
    stats = RequestStats()
    sent: list[int] = []

    async def never(request: PlannedRequest) -> Response:
        sent.append(request.number)
        await asyncio.sleep(0.5)
        return ANSWER

    asyncio.run(run_open_loop(plan(info, 1000, 100), never, stats, 7))

    assert sent == list(range(7))
    assert stats.not_sent.total() == 93
    assert stats.failed_share == 0.93


def test_open_loop_leaves_out_what_it_could_only_send_late(info: ModelInfo) -> None:
    """A busy machine does not make a run longer, nor burst when it can go on."""
    stats = RequestStats()
    held: list[bool] = []

    async def send(request: PlannedRequest) -> Response:
        if not held:
            held.append(True)
            time.sleep(2)
        return ANSWER

    asyncio.run(run_open_loop(plan(info, 100, 150), send, stats, 1000))

    assert 50 < stats.not_sent[TOO_LATE] < 130
    assert stats.total_sent + stats.not_sent[TOO_LATE] == 150
    assert stats.start_delay.largest is not None and stats.start_delay.largest < 1.5


def test_open_loop_cancelled_counts_what_was_under_way(info: ModelInfo) -> None:
    """Also requests that were handed over but had not begun."""
    stats = RequestStats()

    async def hang(request: PlannedRequest) -> Response:
        await asyncio.sleep(60)
        return ANSWER

    async def cancelled() -> None:
        loop = asyncio.create_task(run_open_loop(plan(info, 200, None), hang, stats, 1000))
        await asyncio.sleep(0.3)
        loop.cancel()
        await loop

    with pytest.raises(asyncio.CancelledError):
        asyncio.run(cancelled())
    assert stats.unanswered[INTERRUPTED] == stats.total_sent > 10
    assert stats.in_flight == 0 and stats.failed_share == 0


def test_open_loop_error_of_the_sender_is_not_swallowed(info: ModelInfo) -> None:
    """A fault in this program ends it, instead of counting as the target's."""

    async def broken(request: PlannedRequest) -> Response:
        raise ZeroDivisionError

    with pytest.raises(ExceptionGroup):
        asyncio.run(run_open_loop(plan(info, 100, 5), broken, RequestStats(), 10))
