"""A store that takes remote-write, in the place of Cortex, Thanos and their like."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from contextlib import contextmanager

import pyarrow

from tests.lab.faulty_proxy import FaultyProxy

USER, PASSWORD, BEARER, TENANT = (
    "store-user",
    "password-of-the-tests",
    "bearer-of-the-tests",
    "team-a",
)

Message = dict[int, list[bytes]]
"""The fields of a protobuf message by number; numbers as their little-endian bytes."""


def write_settings(target: str, **more: str) -> dict[str, str]:
    """The Collector's settings for a store at this address."""
    return {
        "OTEL_COLLECTOR_ROUTE": "remote-write",
        "REMOTE_WRITE_URL": f"{target}/api/v1/write",
        **more,
    }


def basic_header(user: str, password: str) -> str:
    """The value of the header Authorization."""
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


class StrictStore(FaultyProxy):
    """A proxy before a Prometheus that is strict about exemplars, as Cortex' ingester is.

    A request with an exemplar older than the newest of its series is answered with 400, although
    its samples are stored. `seen["late exemplar"]` counts them.
    """

    def __init__(self, target: str) -> None:
        super().__init__(target)
        self._newest: dict[bytes, int] = {}

    def forward(self, path: str, headers: dict[str, str], body: bytes) -> tuple[int, bytes]:
        """Status and body of the answer."""
        status, text = super().forward(path, headers, body)
        late = [self._is_late(series, at) for series, at in exemplar_times(body)]
        if status // 100 == 2 and any(late):
            self.seen["late exemplar"] += 1
            return 400, b"out of order exemplar"
        return status, text

    def _is_late(self, series: bytes, at: int) -> bool:
        newest = self._newest.get(series, 0)
        self._newest[series] = max(newest, at)
        return at < newest


@contextmanager
def strict_store(target: str) -> Iterator[StrictStore]:
    """A strict store that listens, and is closed at the end."""
    made = StrictStore(target)
    made.accept()
    try:
        yield made
    finally:
        made.refuse()


def exemplar_times(body: bytes) -> Iterator[tuple[bytes, int]]:
    """Labels of the series, as written, and time in ms of each exemplar of a write request (v1)."""
    size, _ = _varint(body, 0)
    request = _fields(pyarrow.decompress(body, size, "snappy", asbytes=True))
    for series in map(_fields, request.get(1, [])):
        for exemplar in map(_fields, series.get(3, [])):
            yield b"".join(series[1]), int.from_bytes(exemplar[3][0], "little")


def _fields(message: bytes) -> Message:
    found: Message = {}
    at = 0
    while at < len(message):
        key, at = _varint(message, at)
        if key & 7 == 0:
            number, at = _varint(message, at)
            value = number.to_bytes(8, "little")
        else:
            size, at = (8, at) if key & 7 == 1 else _varint(message, at)
            value, at = message[at : at + size], at + size
        found.setdefault(key >> 3, []).append(value)
    return found


def _varint(message: bytes, at: int) -> tuple[int, int]:
    """The number that begins at `at`, and where the next begins."""
    number = shift = 0
    while True:
        byte = message[at]
        number |= (byte & 127) << shift
        at, shift = at + 1, shift + 7
        if byte < 128:
            return number, at
