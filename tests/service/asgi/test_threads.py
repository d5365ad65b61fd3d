"""The pool refuses what would wait too long in a queue that stands, and serves a burst."""

from __future__ import annotations

import asyncio
import gc
import statistics
import threading
import time
import weakref
from collections.abc import Callable
from functools import partial

import pytest

from service.asgi import threads
from service.asgi.threads import BoundedThreads, PoolFull


class Body(bytearray):
    """Of a request; a weak reference says whether it is still there."""


def run_calls(pool: BoundedThreads, calls: int, every: float) -> list[object]:
    """Of calls of 20 ms each that come at even intervals: their results, or why there is none."""

    async def come() -> list[object]:
        running = []
        for _ in range(calls):
            running.append(asyncio.create_task(pool.run(lambda: time.sleep(0.02))))
            await asyncio.sleep(every)
        return list(await asyncio.gather(*running, return_exceptions=True))

    return asyncio.run(come())


@pytest.fixture
def soon_standing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(threads, "_STANDS_AFTER", 0.1)
    monkeypatch.setattr(threads, "_MOST_WAIT", 0.06)


def test_burst_is_served() -> None:
    assert run_calls(BoundedThreads("pool", 1, 100), 30, 0) == [None] * 30


@pytest.mark.usefixtures("soon_standing")
def test_queue_that_stands_refuses_and_goes_on_serving() -> None:
    """Four times as many as can be made: the later ones neither all wait nor are all refused."""
    results = run_calls(BoundedThreads("pool", 1, 100), 200, 0.005)
    refused = [one for one in results if isinstance(one, PoolFull)]
    assert len(refused) > 50
    assert results[100:].count(None) > 5


def work() -> None:
    time.sleep(0.02)


def fail() -> None:
    time.sleep(0.02)
    raise ValueError


@pytest.mark.usefixtures("soon_standing")
@pytest.mark.parametrize("made", [work, fail])
def test_who_would_wait_too_long_is_told_at_once(made: Callable[[], None]) -> None:
    """Not after the wait: in the median sooner than one call of 20 ms takes, also if calls fail."""
    pool, waits = BoundedThreads("pool", 1, 100), []

    async def call() -> None:
        began = time.monotonic()
        try:
            await pool.run(made)
        except PoolFull:
            waits.append(time.monotonic() - began)
        except ValueError:
            pass

    async def come() -> None:
        running = []
        for _ in range(200):
            running.append(asyncio.create_task(call()))
            await asyncio.sleep(0.005)
        await asyncio.gather(*running)

    asyncio.run(come())
    assert statistics.median(waits) < 0.02


@pytest.mark.usefixtures("soon_standing")
def test_pool_that_was_free_again_serves_the_next_burst() -> None:
    pool = BoundedThreads("pool", 1, 100)
    run_calls(pool, 100, 0.005)
    assert run_calls(pool, 3, 0) == [None] * 3


def test_who_waits_behind_a_thread_that_hangs_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """And is not made when the thread is free again; the next is."""
    monkeypatch.setattr(threads, "_LONGEST_WAIT", 0.1)
    pool, hung = BoundedThreads("pool", 1, 100), threading.Event()
    made: list[object] = []

    async def come() -> None:
        first = asyncio.create_task(pool.run(hung.wait))
        waiting = [asyncio.create_task(pool.run(partial(made.append, n))) for n in range(3)]
        results = await asyncio.gather(*waiting, return_exceptions=True)
        assert [type(one) for one in results] == [PoolFull] * 3
        assert pool.longest_running() > 0
        hung.set()
        assert await first
        await pool.run(partial(made.append, "next"))

    asyncio.run(come())
    assert made == ["next"]
    assert pool.longest_running() == 0


def test_call_that_is_given_up_leaves_nothing_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    """The requests of all who come while a thread hangs would not fit into any memory."""
    monkeypatch.setattr(threads, "_LONGEST_WAIT", 0.05)
    pool, hung = BoundedThreads("pool", 1, 100), threading.Event()

    async def be_refused() -> weakref.ref[Body]:
        body = Body()
        with pytest.raises(PoolFull):
            await pool.run(partial(len, body))
        return weakref.ref(body)

    async def come() -> None:
        first = asyncio.create_task(pool.run(hung.wait))
        await asyncio.sleep(0)
        body = await be_refused()
        await asyncio.sleep(0)  # Until then the event loop holds what it has just done.
        gc.collect()
        assert body() is None
        hung.set()
        await first

    asyncio.run(come())
