"""An open-loop client: requests leave at their time, whatever became of the ones before."""

from __future__ import annotations

import asyncio
import contextlib
import json
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

import aiohttp
import numpy as np

from tests.lab.traffic import TRANSACTION

SINGLE = json.dumps(TRANSACTION).encode()
# Longer than any answer should take; a request without one has failed.
_TIMEOUT = 5.0
# Callers, each with a connection of its own that it keeps: they are spread over the workers.
_CALLERS = 8


@dataclass
class Outcome:
    """What became of the requests: times in seconds, `failed_at` since the beginning."""

    seconds: float
    statuses: Counter[int] = field(default_factory=Counter)
    accepted: list[float] = field(default_factory=list)
    refused: list[float] = field(default_factory=list)
    failed_at: list[float] = field(default_factory=list)
    without_retry_after: int = 0

    @property
    def sent(self) -> int:
        """All of them."""
        return len(self.accepted) + len(self.refused) + len(self.failed_at)

    @property
    def goodput(self) -> float:
        """Answers with 200 a second."""
        return len(self.accepted) / self.seconds

    def percentile_ms(self, percent: float, of: list[float] | None = None) -> float:
        """Of the accepted ones' times, in milliseconds; not a number where there are none."""
        times = self.accepted if of is None else of
        return float(np.percentile(times, percent)) * 1000 if times else float("nan")


async def send_open_loop(
    url: str,
    rate: float,
    seconds: float,
    make_body: Callable[[int], bytes] = lambda _: SINGLE,
    path: str = "/predict",
) -> Outcome:
    """POST `rate` bodies a second for `seconds`, evenly spaced."""
    outcome = Outcome(seconds)
    began = time.perf_counter()
    async with contextlib.AsyncExitStack() as stack:
        callers = [await stack.enter_async_context(_open_caller(url)) for _ in range(_CALLERS)]
        running = []
        for number in range(int(rate * seconds)):
            await asyncio.sleep(max(0.0, began + number / rate - time.perf_counter()))
            session = callers[number % _CALLERS]
            request = _send_one(session, path, make_body(number), outcome, began)
            running.append(asyncio.create_task(request))
        await asyncio.gather(*running)
    return outcome


async def send_closed_loop(url: str, seconds: float, body: bytes) -> Outcome:
    """POST `body` to /predict again and again for `seconds`, on one kept connection."""
    outcome = Outcome(seconds)
    began = time.perf_counter()
    async with _open_caller(url) as session:
        while time.perf_counter() - began < seconds:
            await _send_one(session, "/predict", body, outcome, began)
    return outcome


def _open_caller(url: str) -> aiohttp.ClientSession:
    timeout = aiohttp.ClientTimeout(total=_TIMEOUT)
    return aiohttp.ClientSession(url, timeout=timeout, connector=aiohttp.TCPConnector(limit=0))


async def _send_one(
    session: aiohttp.ClientSession, path: str, body: bytes, outcome: Outcome, began: float
) -> None:
    sent = time.perf_counter()
    headers = {"Content-Type": "application/json"}
    try:
        async with session.post(path, data=body, headers=headers) as response:
            await response.read()
    except (aiohttp.ClientError, OSError, TimeoutError):
        outcome.failed_at.append(time.perf_counter() - began)
        return
    took = time.perf_counter() - sent
    outcome.statuses[response.status] += 1
    if response.status == 200:
        outcome.accepted.append(took)
        return
    outcome.refused.append(took)
    if "Retry-After" not in response.headers:
        outcome.without_retry_after += 1
