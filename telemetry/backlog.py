"""Connections that wait to be accepted: the length of the listening socket's queue.

Linux gives a listening socket's queue as `tcpi_unacked` of TCP_INFO. The socket is gunicorn's and
is only looked at, never duplicated: a copy would keep the port open after gunicorn closed it.
"""

from __future__ import annotations

import socket
import struct
from pathlib import Path

_OPEN_FILES = Path("/proc/self/fd")
# struct tcp_info: eight bytes of state, then rto, ato, snd_mss, rcv_mss, unacked as 32-bit words.
_UNACKED = struct.Struct("=24xI")


class Backlog:
    """The queue of the socket on which this process listens at `port`."""

    def __init__(self, port: int) -> None:
        self._file = _listening_file(port)

    def waiting(self) -> int:
        """Connections not yet accepted; 0 where the system does not tell or nothing listens."""
        if self._file is None:
            return 0
        try:
            return _queue_length(self._file)
        except OSError:
            return 0


def _listening_file(port: int) -> int | None:
    if not hasattr(socket, "TCP_INFO") or not _OPEN_FILES.is_dir():
        return None
    for open_file in _OPEN_FILES.iterdir():
        try:
            if _port_listened_at(int(open_file.name)) == port:
                return int(open_file.name)
        except OSError:
            continue
    return None


def _port_listened_at(file: int) -> int | None:
    looked_at = socket.socket(fileno=file)
    try:
        if not looked_at.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN):
            return None
        name = looked_at.getsockname()
        return int(name[1]) if isinstance(name, tuple) else None
    finally:
        looked_at.detach()


def _queue_length(file: int) -> int:
    looked_at = socket.socket(fileno=file)
    try:
        if not looked_at.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN):
            return 0
        told = looked_at.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, _UNACKED.size)
        return int(_UNACKED.unpack(told)[0])
    finally:
        looked_at.detach()
