"""A proxy that injects faults, in front of a real target."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

import requests

from tests.lab.http_server import QuietHandler, Server
from tests.lab.ports import free_port


class FaultyProxy:
    """`mode` is what happens to a request:

    - "pass": it is forwarded and answered as the target does;
    - "hang": it is taken and never answered;
    - a status, such as "503": it is answered with that;
    What lacks one of the `demanded` headers is answered with 401. `refuse()`/`accept()` close and
    open the port itself. `seen` counts requests by mode.
    """

    def __init__(self, target: str) -> None:
        self.target = target
        self.mode = "pass"
        self.demanded: dict[str, str] = {}
        self.seen: Counter[str] = Counter()
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self._server: Server | None = None
        self._stopping = threading.Event()

    def accept(self) -> None:
        """Listens (again)."""
        if self._server is None:
            self._stopping.clear()
            self._server = Server(self._handler(), self.port)
            self._server.listen()

    def refuse(self) -> None:
        """Closes the port: connections are refused, and open ones are cut."""
        if self._server is not None:
            self._stopping.set()
            self._server.close()
            self._server = None

    def _handler(self) -> type[QuietHandler]:
        proxy = self

        class Handler(QuietHandler):
            def do_POST(self) -> None:
                body = self.body()
                if proxy._stopping.is_set():
                    self.close_connection = True
                    return
                proxy.seen[proxy.mode] += 1
                if proxy.mode == "hang":
                    proxy._stopping.wait(60)
                    self.close_connection = True
                elif proxy.mode == "pass":
                    self.answer(*proxy.forward(self.path, dict(self.headers), body))
                else:
                    self.answer(int(proxy.mode))

        return Handler

    def forward(self, path: str, headers: dict[str, str], body: bytes) -> tuple[int, bytes]:
        """Status and body of the target's answer."""
        if not self.demanded.items() <= headers.items():
            self.seen["401"] += 1
            return 401, b""
        kept = {name: value for name, value in headers.items() if name.lower() != "host"}
        answer = requests.post(self.target + path, data=body, headers=kept, timeout=10)
        return answer.status_code, answer.content


@contextmanager
def faulty_proxy(target: str) -> Iterator[FaultyProxy]:
    """A proxy that listens, and is closed at the end."""
    made = FaultyProxy(target)
    made.accept()
    try:
        yield made
    finally:
        made.refuse()
