"""Slow and silent clients: who waits for them, and are their descriptors given back?"""

from __future__ import annotations

import asyncio
import contextlib
import select
import socket
import time
from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass

import psutil

from bench.faults.load import SINGLE, send_open_loop
from bench.open_loop import Paced, send_paced, spawn_client
from tests.lab.handler import Handler

_HEAD = b"POST /predict HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
_BODY = _HEAD + b"Content-Length: %d\r\n\r\n" % len(SINGLE)
_LONG_ANSWER = b"GET /docs/swagger-ui-bundle.js HTTP/1.1\r\nHost: x\r\n\r\n"
_PROBE = b"GET /health/live HTTP/1.1\r\nHost: x\r\n\r\n"
# What a client sends at once, and whether it goes on by a byte a second.
KINDS: dict[str, tuple[bytes, bool]] = {
    "idle": (b"", False),
    "half a head": (_HEAD, False),
    "half a body": (_BODY + SINGLE[:10], False),
    "one byte a second": (_BODY, True),
    "reading slowly": (_LONG_ANSWER, False),
    "kept alive": (_PROBE, False),
}
HONEST_RATE = 40.0
# How many a second come. What is measured is that they stay: that they come is a flood of requests.
_OPENED_A_SECOND = 200
# Clients know nothing of each other: their bytes do not come in one burst.
_TURNS_A_SECOND = 20


_LONGEST_WITHOUT = 30.0
_GONE = select.POLLRDHUP | select.POLLHUP | select.POLLERR


@dataclass(frozen=True)
class SlowResult:
    """Honest clients without and with the others; how many of them were closed by the service and
    came again; seconds until the descriptors were free."""

    kind: str
    connections: int
    reopened: int
    without: Paced
    beside: Paced
    freed_after: float


async def measure(handler: Handler, kind: str, connections: int, seconds: float) -> SlowResult:
    """One kind, held open for `seconds`: what the service closes meanwhile is opened again."""
    with spawn_client() as client:

        async def ask(seconds: float) -> Paced:
            asked = client.submit(send_paced, handler.port, HONEST_RATE, seconds)
            return await asyncio.wrap_future(asked)

        without = await ask(min(seconds, _LONGEST_WITHOUT))
        before = count_descriptors(handler)
        async with _held_open(handler.port, kind, connections) as crowd:
            beside = await ask(seconds)
    freed = await _wait_until_freed(handler, before + 20)
    return SlowResult(kind, len(crowd.clients), crowd.reopened, without, beside, freed)


def count_descriptors(handler: Handler) -> int:
    """Of all workers together."""
    return sum(psutil.Process(pid).num_fds() for pid in handler.workers())


def measure_memory(handler: Handler) -> float:
    """Resident MiB of all workers together."""
    return sum(psutil.Process(pid).memory_info().rss for pid in handler.workers()) / 2**20


class _Crowd:
    """Connections of one kind."""

    def __init__(self, port: int, kind: str) -> None:
        self.clients: list[socket.socket] = []
        self.reopened = 0
        self._port = port
        self._sent, self._drips = KINDS[kind]

    async def open(self, connections: int) -> None:
        """So many more, as far as they can be had."""
        for _ in range(connections):
            with contextlib.suppress(OSError):
                client = socket.create_connection(("127.0.0.1", self._port), 10)
                client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
                client.sendall(self._sent)
                client.setblocking(False)
                self.clients.append(client)
            await asyncio.sleep(1 / _OPENED_A_SECOND)

    async def stay(self) -> None:
        """Send on, and come again where the service has closed, each second."""
        while True:
            for turn in range(_TURNS_A_SECOND):
                await asyncio.sleep(1 / _TURNS_A_SECOND)
                if self._drips:
                    self._send_a_byte(self.clients[turn::_TURNS_A_SECOND])
            gone = self._drop_closed()
            self.reopened += gone
            await self.open(gone)

    @staticmethod
    def _send_a_byte(clients: Iterable[socket.socket]) -> None:
        for client in clients:
            with contextlib.suppress(OSError):
                client.send(b" ")

    def _drop_closed(self) -> int:
        """How many the service has closed."""
        poll = select.poll()
        for client in self.clients:
            poll.register(client, _GONE)
        gone = {descriptor for descriptor, _ in poll.poll(0)}
        for client in self.clients:
            if client.fileno() in gone:
                client.close()
        self.clients = [client for client in self.clients if client.fileno() >= 0]
        return len(gone)


@contextlib.asynccontextmanager
async def _held_open(port: int, kind: str, connections: int) -> AsyncIterator[_Crowd]:
    """So many connections, once what they asked for is done."""
    crowd = _Crowd(port, kind)
    await crowd.open(connections)
    await _wait_until_answered(port)
    staying = asyncio.create_task(crowd.stay())
    try:
        yield crowd
    finally:
        staying.cancel()
        for client in crowd.clients:
            client.close()


async def _wait_until_answered(port: int) -> None:
    """What they asked for is done: a probe has its answers at once."""
    quick, deadline = 0, time.perf_counter() + 60
    while quick < 5 and time.perf_counter() < deadline:
        one = await send_open_loop(f"http://127.0.0.1:{port}", 5, 1)
        quick = quick + len(one.accepted) if one.percentile_ms(100) < 100 else 0


async def _wait_until_freed(handler: Handler, most: int) -> float:
    began = time.perf_counter()
    while count_descriptors(handler) > most and time.perf_counter() - began < 60:
        await asyncio.sleep(0.2)
    return time.perf_counter() - began
