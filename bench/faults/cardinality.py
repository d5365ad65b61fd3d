"""Random paths, user types, headers and methods: how many series do strangers add?"""

from __future__ import annotations

import argparse
import json
import random
import socket
import string
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from bench.faults.report import Report
from bench.faults.slow_clients import measure_memory
from tests.lab.handler import Handler
from tests.lab.traffic import TRANSACTION

_METHODS = ("GET", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "HEAD", "PROPFIND")
# Requests that are sent in one piece (pipelining), so that the client costs little.
_TOGETHER = 20
_CONNECTIONS = 8
# Each answer has one.
_ID = b"\r\nx-request-id: "


def measure_cardinality(models: Path, folder: Path, options: argparse.Namespace) -> Report:
    """`--requests` of them."""
    with Handler(folder / "series", models, WEB_CONCURRENCY="2", LOG_LEVEL="error") as handler:
        # Each kind once: what a service has ever answered exists from then on.
        send_rubbish(handler.port, 2000, 0)
        before = count_series(handler)
        resident = measure_memory(handler)
        began = time.monotonic()
        answered = send_rubbish(handler.port, options.requests, 1)
        minutes = (time.monotonic() - began) / 60
        added = count_series(handler) - before
        grown = measure_memory(handler) - resident
    row = (
        f"{options.requests:,}", f"{answered:,}", f"{minutes:.0f} min", f"{before:,}",
        f"{added:+d}", f"{grown:+.1f} MiB",
    )  # fmt: skip
    head = ("requests", "answered", "in", "series", "added", "memory")
    return Report("Cardinality", head, [row])


def count_series(handler: Handler) -> int:
    """Samples on /metrics."""
    return sum(not line.startswith("#") for line in handler.exposition().splitlines())


def send_rubbish(port: int, requests: int, seed: int) -> int:
    """How many were answered at all."""
    share = requests // _CONNECTIONS
    with ThreadPoolExecutor(_CONNECTIONS) as pool:
        parts = pool.map(
            lambda number: _send_part(port, share, random.Random(f"{seed} {number}")),
            range(_CONNECTIONS),
        )
        return sum(parts)


def _send_part(port: int, requests: int, chance: random.Random) -> int:
    answered, connection = 0, _connect(port)
    while requests > 0:
        # In the middle of a piece the parser refuses such a method, and the service closes.
        unheard_of = chance.random() < 0.2
        count = 1 if unheard_of else min(requests, _TOGETHER)
        method = _word(chance).upper() if unheard_of else ""
        connection.sendall(b"".join(_make_request(chance, method) for _ in range(count)))
        found = _count_answers(connection, count)
        answered += found
        requests -= count
        if found < count:
            connection.close()
            connection = _connect(port)
    connection.close()
    return answered


def _connect(port: int) -> socket.socket:
    return socket.create_connection(("127.0.0.1", port), 30)


def _make_request(chance: random.Random, method: str = "") -> bytes:
    word = _word(chance)
    rubbish = {"user_type": word, word: word} if chance.random() < 0.8 else {}
    body = json.dumps(TRANSACTION | rubbish)
    path = chance.choice(
        (f"/{word}", "/predict", f"/predict?{word}={word}", f"/docs/{word}", "/feedback")
    )
    method = method or chance.choice(_METHODS)
    return (
        f"{method} {path} HTTP/1.1\r\nHost: {word}\r\nX-{word}: {word}\r\n"
        f"User-Agent: {word}\r\nX-Routing-Key: {word}\r\nContent-Type: application/json\r\n"
        f"Content-Length: {len(body)}\r\n\r\n{body}"
    ).encode()


def _word(chance: random.Random) -> str:
    return "".join(chance.choices(string.ascii_letters, k=12))


def _count_answers(connection: socket.socket, most: int) -> int:
    """Until so many have begun, or the service closes."""
    found, kept = 0, b""
    for piece in _receive(connection):
        text = kept + piece
        found += text.count(_ID)
        # What may be the beginning of one is looked at again.
        kept = text[-len(_ID) + 1 :]
        if found >= most:
            break
    return found


def _receive(connection: socket.socket) -> Iterator[bytes]:
    try:
        while piece := connection.recv(65536):
            yield piece
    except OSError:
        return
