"""An open-loop client of few system calls: single predictions at an even pace, on kept connections.

For the tail of answers it must be a process of its own: no other work of Python is in between.
"""

from __future__ import annotations

import json
import select
import socket
import time
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from multiprocessing import get_context

import numpy as np

from tests.lab.traffic import TRANSACTION

_BODY = json.dumps(TRANSACTION).encode()
_REQUEST = (
    b"POST /predict HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
    b"Content-Length: %d\r\n\r\n%s" % (len(_BODY), _BODY)
)
_CONNECTIONS = 16
# In seconds; a request that is not answered by then has failed.
_LONGEST = 10.0


@dataclass
class Paced:
    """Seconds from the sending of each request to its answer with 200; others have failed."""

    seconds: list[float] = field(default_factory=list)
    failed: int = 0

    def percentile_ms(self, percent: float) -> float:
        """Of the answers' times, in milliseconds; not a number where there are none."""
        return 1000 * float(np.percentile(self.seconds, percent)) if self.seconds else float("nan")

    def describe(self) -> str:
        """How many, and the slowest."""
        slowest = 1000 * max(self.seconds, default=float("nan"))
        return f"{len(self.seconds):,} answers, {self.failed} failed, slowest {slowest:.1f} ms"


def spawn_client() -> ProcessPoolExecutor:
    """A process of its own, in which `send_paced` may be called."""
    return ProcessPoolExecutor(1, get_context("spawn"))


def send_paced(port: int, rate: float, seconds: float) -> Paced:
    """`rate` a second, each at its time, whatever became of the ones before."""
    return _Client(port).run(rate, seconds)


class _Client:
    def __init__(self, port: int) -> None:
        self._port = port
        self._poll = select.poll()
        self._idle = [self._connect() for _ in range(_CONNECTIONS)]
        self._sent: dict[int, tuple[socket.socket, float]] = {}
        self._result = Paced()

    def run(self, rate: float, seconds: float) -> Paced:
        """At the end it waits for what is not answered yet."""
        began = time.perf_counter()
        for number in range(int(rate * seconds)):
            self._receive_until(began + number / rate)
            self._send()
        until = time.perf_counter() + _LONGEST
        while self._sent and time.perf_counter() < until:
            self._receive_until(time.perf_counter() + 0.01)
        self._result.failed += len(self._sent)
        for connection in [*self._idle, *(one for one, _ in self._sent.values())]:
            connection.close()
        return self._result

    def _connect(self) -> socket.socket:
        connection = socket.create_connection(("127.0.0.1", self._port), _LONGEST)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return connection

    def _send(self) -> None:
        # In turns, so that all workers get some.
        connection = self._idle.pop(0) if self._idle else self._connect()
        if select.select([connection], [], [], 0)[0]:
            # It was closed while nothing was on its way: no request has failed.
            connection.close()
            connection = self._connect()
        self._sent[connection.fileno()] = (connection, time.perf_counter())
        self._poll.register(connection, select.POLLIN)
        try:
            connection.sendall(_REQUEST)
        except OSError:
            self._end(connection.fileno(), b"")

    def _receive_until(self, when: float) -> None:
        while (left := when - time.perf_counter()) > 0:
            # Rounded down, so that the last millisecond is waited for actively.
            for descriptor, _ in self._poll.poll(int(1000 * left)):
                try:
                    answer = self._sent[descriptor][0].recv(65536)
                except OSError:
                    answer = b""
                self._end(descriptor, answer)

    def _end(self, descriptor: int, answer: bytes) -> None:
        """Answers are short, and come in one piece."""
        connection, sent = self._sent.pop(descriptor)
        self._poll.unregister(connection)
        if answer.startswith(b"HTTP/1.1 200 ") and answer.endswith(b"}"):
            self._result.seconds.append(time.perf_counter() - sent)
        else:
            self._result.failed += 1
        if not answer or b"\r\nconnection: close\r\n" in answer:
            connection.close()
        else:
            self._idle.append(connection)
