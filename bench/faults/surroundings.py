"""Faults of what surrounds the service: the clock, names, memory. What this machine does not allow
(name spaces, control groups: both want root) is not measured."""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import struct
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import aiohttp
import psutil

from tests.lab.handler import Handler

COLLECTOR_NAME, REDIS_NAME = "collector.example", "redis.example"
_NO_ADDRESS = "127.0.0.99"
_GROUPS = Path("/sys/fs/cgroup")
_MIB = 2**20


class SteppedClock:
    """`settings` of programs whose wall clock `step` moves, by seconds from the true time."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._file = folder / "seconds"
        self.step(0)
        library = folder / "stepped_clock.so"
        source = Path(__file__).with_name("stepped_clock.c")
        subprocess.run(
            ["gcc", "-shared", "-fPIC", "-O2", "-o", str(library), str(source)], check=True
        )
        self.settings = {"LD_PRELOAD": str(library), "STEPPED_CLOCK": str(self._file)}

    def step(self, seconds: int) -> None:
        """For all of them at once."""
        # In place: it is mapped into their memory.
        descriptor = os.open(self._file, os.O_WRONLY | os.O_CREAT)
        os.write(descriptor, struct.pack("q", seconds))
        os.close(descriptor)


def can_hide_names() -> bool:
    """True where a program may have an /etc/resolv.conf of its own."""
    return subprocess.run(["unshare", "--mount", "true"], check=False).returncode == 0


@contextlib.contextmanager
def name_server(*, silent: bool) -> Iterator[None]:
    """The one that `without_names` asks: it hears and never answers, or there is none."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as hole:
        if silent:
            hole.bind((_NO_ADDRESS, 53))
        yield


def without_names(command: list[str]) -> list[str]:
    """The same command where no host name can be looked up but those of /etc/hosts."""
    with tempfile.NamedTemporaryFile("w", suffix=".conf", delete=False) as file:
        file.write(f"nameserver {_NO_ADDRESS}\n")
    mount = f'mount --bind {file.name} /etc/resolv.conf && rm {file.name} && exec "$@"'
    return ["unshare", "--mount", "sh", "-c", mount, "sh", *command]


async def run_out_of_memory(handler: Handler) -> None:
    """One worker gets a few MiB more and then nothing: the system kills it."""
    worker = handler.workers()[0]
    with _memory_limit(worker, _MIB // 4):
        await _simulate_traffic(handler, lambda: not psutil.pid_exists(worker))


def can_limit_memory() -> bool:
    """True where a control group may be made."""
    with contextlib.suppress(OSError), _memory_limit(None, 4 * _MIB):
        return True
    return False


@contextlib.contextmanager
def _memory_limit(pid: int | None, most: int) -> Iterator[None]:
    """What the process takes from now on may be `most` bytes, by version 2 of control groups or
    version 1."""
    second = "memory" in _read(_GROUPS / "cgroup.controllers").split()
    group = (_GROUPS if second else _GROUPS / "memory") / f"bench-faults-{os.getpid()}"
    group.mkdir()
    try:
        limit = "memory.max" if second else "memory.limit_in_bytes"
        (group / limit).write_text(str(most))
        if pid is not None:
            (group / "cgroup.procs").write_text(str(pid))
        yield
        if pid is not None and psutil.pid_exists(pid):
            (group / limit).write_text("max" if second else "-1")
            (group.parent / "cgroup.procs").write_text(str(pid))
    finally:
        with contextlib.suppress(OSError):
            group.rmdir()


def _read(path: Path) -> str:
    with contextlib.suppress(OSError):
        return path.read_text()
    return ""


async def _simulate_traffic(handler: Handler, is_done: Callable[[], bool]) -> None:
    """Heavy requests of four callers, for at most 20 s; not among the predictions that are looked
    for afterwards."""
    heavy, until = {"num_requests": 1000}, time.monotonic() + 20

    async def call(session: aiohttp.ClientSession) -> None:
        while not is_done() and time.monotonic() < until:
            with contextlib.suppress(aiohttp.ClientError, OSError, TimeoutError):
                async with session.post("/simulate_traffic", json=heavy) as answer:
                    await answer.read()

    timeout = aiohttp.ClientTimeout(total=5)
    async with aiohttp.ClientSession(handler.url, timeout=timeout) as session:
        await asyncio.gather(*(call(session) for _ in range(4)))
