"""Finds out, before anything starts, whether ports are free and who holds those that are not."""

from __future__ import annotations

import socket
from collections.abc import Iterable, Mapping
from typing import Any

import psutil

from stack.errors import StackError
from stack.settings import TABLE

_LOOPBACK = ((socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1"))
_SETTINGS = {setting.name: setting for setting in TABLE}


def check_free(ports: Mapping[str, int]) -> None:
    """Raises StackError naming each busy port, its holder and the setting that moves it."""
    taken: dict[int, str] = {}
    for name, first in ports.items():
        for port in _row(name, first):
            if port in taken:
                raise StackError(f"{name} and {taken[port]} both take {port}; a port is used once.")
            taken[port] = name
    sentences = [_describe_busy(name, port) for port, name in taken.items() if is_busy(port)]
    if sentences:
        raise StackError("\n".join(sentences))


def _row(name: str, first: int) -> range:
    """The ports that the setting takes."""
    return range(first, first + _SETTINGS[name].count)


def is_busy(port: int) -> bool:
    """True when something answers on the port or the port cannot be bound on loopback."""
    return any(_accepts(family, host, port) for family, host in _LOOPBACK) or _is_bound(port)


def find_holder(port: int) -> str | None:
    """Who listens on the port: "pid 4711: command"; None when the system does not say."""
    for pid in _find_listeners(port):
        try:
            process = psutil.Process(pid)
            command = " ".join(process.cmdline()) or process.name()
        except psutil.Error:
            continue
        return f"pid {pid}: {command[:100]}"
    return None


def _describe_busy(name: str, port: int) -> str:
    held = find_holder(port) or "a process that this user may not see"
    said = f"Port {port} of {_SETTINGS[name].meaning} is busy ({held}); stop that, or set {name}"
    free = _find_free(name, port)
    count = _SETTINGS[name].count
    if count > 1:
        return f"{said} to the first of {count} free ports, for example {name}={free}."
    return f"{said} to a free port, for example {name}={free}."


def _find_free(name: str, busy: int) -> int:
    last = min(busy + 200, 65536 - len(_row(name, busy)))
    rows = (_row(name, first) for first in range(busy + 1, last))
    return next((row[0] for row in rows if not any(is_busy(port) for port in row)), 0)


def _accepts(family: socket.AddressFamily, host: str, port: int) -> bool:
    # macOS lets two programs bind one port on different addresses: binding alone does not show it.
    try:
        with socket.socket(family, socket.SOCK_STREAM) as client:
            client.settimeout(0.5)
            return client.connect_ex((host, port)) == 0
    except OSError:
        return False


def _is_bound(port: int) -> bool:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as server:
        # As the programs bind: a connection of an earlier run that is winding down is no holder.
        server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            server.bind(("127.0.0.1", port))
        except OSError:
            return True
    return False


def _find_listeners(port: int) -> Iterable[int]:
    try:
        connections = psutil.net_connections("tcp")
    except psutil.AccessDenied:
        yield from _find_own_listeners(port)
        return
    for connection in connections:
        if _listens(connection, port) and connection.pid:
            yield connection.pid


def _find_own_listeners(port: int) -> Iterable[int]:
    # macOS shows the whole table to root only, but each user's processes to that user.
    for process in psutil.process_iter():
        try:
            if any(_listens(one, port) for one in process.net_connections("tcp")):
                yield process.pid
        except psutil.Error:
            continue


def _listens(connection: Any, port: int) -> bool:
    return bool(
        connection.status == psutil.CONN_LISTEN
        and connection.laddr
        and connection.laddr.port == port
    )
