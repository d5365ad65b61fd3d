"""Ports of loopback for programs that a test starts.

None is of the kernel's ephemeral ports: between the choice and the program's `listen` any outgoing
connection could get such a port as its source. None is given out twice.
"""

from __future__ import annotations

import itertools
import random
import socket
from collections.abc import Iterator

_PORTS = range(20_000, 32_000)
"""Below Linux's ephemeral ports (32768 and up), above the defaults of the stack's programs."""
_start = random.randrange(len(_PORTS))
# Two runs at once begin elsewhere.
_next_ports: Iterator[int] = itertools.cycle([*_PORTS[_start:], *_PORTS[:_start]])


def free_port() -> int:
    """A port of loopback that nobody listens on at the moment."""
    return free_row(1)


def free_row(count: int) -> int:
    """The first of so many free ports in a row."""
    while True:
        row = [next(_next_ports) for _ in range(count)]
        if row[-1] - row[0] == count - 1 and all(map(_is_free, row)):
            return row[0]


def _is_free(port: int) -> bool:
    with socket.socket() as listener:
        try:
            listener.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True
