"""The ASGI application behind its real protocol, on a socket of this process."""

from __future__ import annotations

import asyncio
import http.client
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from uvicorn.server import ServerState

from service.asgi.application import AsgiApplication
from service.asgi.protocol import BoundedProtocol
from service.asgi.worker import build_config
from tests.lab.polling import until

T = TypeVar("T")
HEAD = b"POST /predict HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
"""Of a prediction, without what says how long its body is."""


class AsgiServer:
    """`port` answers; an event loop of its own runs in a thread."""

    def __init__(self, application: AsgiApplication) -> None:
        self.application = application
        self._config = build_config(application)
        self._config.load()
        self._state = ServerState()
        self._opened: list[socket.socket] = []
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self.port = asyncio.run_coroutine_threadsafe(self._listen(), self._loop).result(10)

    async def _listen(self) -> int:
        self._server = await self._loop.create_server(self._connect, "127.0.0.1", 0)
        port: int = self._server.sockets[0].getsockname()[1]
        return port

    def _connect(self) -> BoundedProtocol:
        return BoundedProtocol(self._config, self._state, {}, self._loop)

    def on_loop(self, call: Callable[[], T]) -> T:
        """What `call` gives, called on the loop."""

        async def run() -> T:
            return call()

        return asyncio.run_coroutine_threadsafe(run(), self._loop).result(10)

    def connections(self) -> list[BoundedProtocol]:
        """Those that are open."""
        return [one for one in [*self._state.connections] if isinstance(one, BoundedProtocol)]

    def wait_until(self, holds: Callable[[BoundedProtocol], bool], what: str) -> None:
        """It holds for the one connection that is open; `what` names it where it never does."""
        until(lambda: [holds(one) for one in self.connections()] == [True], 30, what)

    def let_pass(self, seconds: float) -> None:
        """What the server does once a second, as if so much time had passed."""

        def look() -> None:
            for one in self.connections():
                one.close_if_late(self._loop.time() + seconds)

        self.on_loop(look)

    def open(self, sent: bytes = b"") -> socket.socket:
        """A connection over which so much was sent; it is closed with the server at the latest."""
        opened = socket.create_connection(("127.0.0.1", self.port), 10)
        self._opened.append(opened)
        opened.sendall(sent)
        return opened

    def ask(
        self, method: str, path: str, body: bytes = b"", headers: dict[str, str] | None = None
    ) -> tuple[int, dict[str, str], bytes]:
        """Status, headers with names in small letters, and body of one answer."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            connection.request(method, path, body, headers or {})
            answer = connection.getresponse()
            found = {name.lower(): value for name, value in answer.getheaders()}
            return answer.status, found, answer.read()
        finally:
            connection.close()

    def close(self) -> None:
        """Stop listening, end the connections and the loop."""
        for one in self._opened:
            one.close()

        def end() -> None:
            self._server.close()
            for one in self.connections():
                one.transport.abort()

        self.on_loop(end)
        self.on_loop(lambda: None)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()


@contextmanager
def asgi_server(application: AsgiApplication) -> Iterator[AsgiServer]:
    """A running one."""
    server = AsgiServer(application)
    try:
        yield server
    finally:
        server.close()


def write_prediction(body: bytes) -> bytes:
    """The whole request, for one piece."""
    return HEAD + b"Content-Length: %d\r\n\r\n%s" % (len(body), body)


def read_all(connection: socket.socket) -> bytes:
    """What comes until the other side closes."""
    connection.settimeout(10)
    received = b""
    try:
        while part := connection.recv(65536):
            received += part
    except ConnectionResetError:
        pass
    return received
