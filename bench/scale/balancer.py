"""What a Service of Kubernetes does: connections to one address go to one of its endpoints."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import threading
from types import TracebackType
from typing import Self

from tests.lab.ports import free_port


class Balancer:
    """Forwards connections in turn; one that is open stays where it is when its endpoint leaves."""

    def __init__(self) -> None:
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.endpoints: tuple[int, ...] = ()
        self._turn = itertools.count()
        self._listening = threading.Event()
        self._loop = asyncio.new_event_loop()
        self._stopped = asyncio.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        assert self._listening.wait(10), "the balancer does not listen"
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._loop.call_soon_threadsafe(self._stopped.set)
        self._thread.join(10)

    def _run(self) -> None:
        # Ends what is still forwarded, and closes the loop.
        with asyncio.Runner(loop_factory=lambda: self._loop) as runner:
            runner.run(self._listen())

    async def _listen(self) -> None:
        async with await asyncio.start_server(self._forward, "127.0.0.1", self.port):
            self._listening.set()
            await self._stopped.wait()

    async def _forward(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.closing(writer), contextlib.suppress(OSError, asyncio.CancelledError):
            endpoints = self.endpoints
            if not endpoints:
                return
            port = endpoints[next(self._turn) % len(endpoints)]
            there, back = await asyncio.open_connection("127.0.0.1", port)
            with contextlib.closing(back):
                await asyncio.gather(_pipe(reader, back), _pipe(there, writer))


async def _pipe(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Until its source ends; then the other side is told."""
    while data := await reader.read(65536):
        writer.write(data)
        await writer.drain()
    writer.close()
