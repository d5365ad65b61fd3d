"""Connections that wait to be accepted: the length of the listening socket's queue.

Linux gives a listening socket's queue as `tcpi_unacked` of TCP_INFO. The socket is gunicorn's and
is only looked at, never duplicated: a copy would keep the port open after gunicorn closed it.
"""

from __future__ import annotations

import socket
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_OPEN_FILES = Path("/proc/self/fd")
# struct tcp_info: eight bytes of state, then rto, ato, snd_mss, rcv_mss, unacked as 32-bit words.
_UNACKED = struct.Struct("=24xI")


class Backlog:
    """The queue of the socket on which this process listens at `port`."""

    def __init__(self, port: int) -> None:
        self._file = _find_listening_file(port)

    def count(self) -> int:
        """Connections not yet accepted; 0 where the system does not say or nothing listens."""
        if self._file is None:
            return 0
        try:
            return _read_queue_length(self._file)
        except OSError:
            return 0


def _find_listening_file(port: int) -> int | None:
    if not hasattr(socket, "TCP_INFO") or not _OPEN_FILES.is_dir():
        return None
    for open_file in _OPEN_FILES.iterdir():
        try:
            if _read_port(int(open_file.name)) == port:
                return int(open_file.name)
        except OSError:
            continue
    return None


def _read_port(file: int) -> int | None:
    """The port of a listening socket; None for any other one."""
    with _borrow(file) as listener:
        if not listener.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN):
            return None
        name = listener.getsockname()
        return int(name[1]) if isinstance(name, tuple) else None


def _read_queue_length(file: int) -> int:
    with _borrow(file) as listener:
        if not listener.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN):
            return 0
        state = listener.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, _UNACKED.size)
        return int(_UNACKED.unpack(state)[0])


@contextmanager
def _borrow(file: int) -> Iterator[socket.socket]:
    """The socket of an open file that stays somebody else's: it is not closed."""
    borrowed = socket.socket(fileno=file)
    try:
        yield borrowed
    finally:
        borrowed.detach()
