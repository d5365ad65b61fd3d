"""Faults of parts, one by one, while requests come: failed ones, lost counts, time to recover."""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import signal
import socket
import sqlite3
import subprocess
import time
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import requests

from bench.faults.load import Outcome, send_open_loop
from tests.lab.handler import Handler
from tests.lab.traffic import TRANSACTION

RATE = 40.0
_COUNTED = re.compile(r'^predictions_total\{.*endpoint="/predict".*\} (\S+)$', re.MULTILINE)
_WORTH_TELLING = re.compile(r'"level": ?"(?:warning|error|critical)".*', re.IGNORECASE)
# Until workers that were ended last have been replaced, and a push has come through.
_COUNTED_WITHIN = 60.0


@dataclass(frozen=True)
class FaultResult:
    """`lost`: answers with 200 that no counter has; `recovered_after`: from the fault to the last
    request that failed, in seconds; `label`: what came of a prediction's from before the fault;
    `said`: the log's first warning."""

    fault: str
    outcome: Outcome
    lost: float
    recovered_after: float
    label: str
    said: str


Act = Callable[[Handler], Awaitable[None]]
Count = Callable[[Handler], float]


def count_predictions(handler: Handler) -> float:
    """By the service's own /metrics."""
    with contextlib.suppress(requests.RequestException, AssertionError):
        return sum(float(value) for value in _COUNTED.findall(handler.exposition()))
    return float("nan")


async def measure(
    fault: str,
    handler: Handler,
    act: Act,
    seconds: float,
    at: float = 2.0,
    count: Count = count_predictions,
) -> FaultResult:
    """The fault is done `at` seconds into a steady load."""
    receipt = await asyncio.to_thread(_predict, handler)
    load = asyncio.create_task(send_open_loop(handler.url, RATE, seconds))
    await asyncio.sleep(at)
    await act(handler)
    outcome = await load
    label = await asyncio.to_thread(_send_label, handler, receipt)
    # One prediction was made for the label.
    answered = len(outcome.accepted) + 1
    until = time.monotonic() + _COUNTED_WITHIN
    while (lost := answered - await asyncio.to_thread(count, handler)) != 0:
        # More than were answered is right where an answer was on its way when its worker ended.
        if lost < 0 or time.monotonic() > until:
            break
        await asyncio.sleep(0.5)
    recovered = max((when - at for when in outcome.failed_at), default=0.0)
    said = _first_warning(handler)
    return FaultResult(fault, outcome, max(0.0, lost), max(0.0, recovered), label, said)


def _predict(handler: Handler) -> str:
    """The receipt."""
    answer = requests.post(f"{handler.url}/predict", json=TRANSACTION, timeout=10)
    assert answer.status_code == 200, answer.text
    return str(answer.json()["receipt"])


def _send_label(handler: Handler, receipt: str) -> str:
    """The status of the answer, and how long it took."""
    try:
        label = {"receipt": receipt, "label": "legitimate"}
        began = time.perf_counter()
        answer = requests.post(f"{handler.url}/feedback", json=label, timeout=30)
    except requests.RequestException:
        return "none"
    return f"{answer.status_code} in {(time.perf_counter() - began) * 1000:.0f} ms"


def _first_warning(handler: Handler) -> str:
    for line in handler.output().splitlines():
        if _WORTH_TELLING.search(line) and (found := re.search(r'"message": ?"([^"]*)"', line)):
            return found[1].split("\\n")[0]
    return ""


async def do_nothing(_: Handler) -> None:
    """The fault is there from the start."""


async def kill_worker(handler: Handler) -> None:
    """SIGKILL."""
    handler.kill_worker()


async def kill_all_workers(handler: Handler) -> None:
    """SIGKILL to each."""
    for pid in handler.workers():
        os.kill(pid, signal.SIGKILL)


async def stop_and_start(handler: Handler) -> None:
    """SIGTERM to gunicorn; when it is gone it is started again."""
    handler.stop_master()
    assert handler.process is not None
    await asyncio.to_thread(handler.process.wait, 30)
    await asyncio.to_thread(handler.start)


def watch_workers(seen: set[int], seconds: float) -> Act:
    """Notes the process id of each worker that there is for so long."""

    async def watch(handler: Handler) -> None:
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            seen.update(handler.workers())
            await asyncio.sleep(0.2)

    return watch


async def restart_workers(handler: Handler) -> None:
    """SIGHUP to gunicorn: new workers come, the old ones finish what they have begun."""
    assert handler.process is not None
    handler.process.send_signal(signal.SIGHUP)


async def stop_worker(handler: Handler) -> None:
    """Its event loop stands still; gunicorn kills it after its time-out of 30 s."""
    os.kill(handler.workers()[0], signal.SIGSTOP)


@contextlib.contextmanager
def black_hole() -> Iterator[int]:
    """A port that takes connections and never answers."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(128)
        yield listener.getsockname()[1]


@contextlib.contextmanager
def closed_port() -> Iterator[int]:
    """A port where nobody listens, and nobody else will."""
    with socket.socket() as reserved:
        reserved.bind(("127.0.0.1", 0))
        yield reserved.getsockname()[1]


@contextlib.contextmanager
def locked_store(path: Path) -> Iterator[None]:
    """Another program holds the file of used receipts."""
    path.parent.mkdir(parents=True, exist_ok=True)
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("BEGIN EXCLUSIVE")
    try:
        yield
    finally:
        connection.close()


@contextlib.contextmanager
def full_disk(folder: Path) -> Iterator[bool]:
    """A small file system of its own without a free block; False where none may be mounted."""
    folder.mkdir(parents=True, exist_ok=True)
    mount = ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(folder)]
    mounted = subprocess.run(mount, capture_output=True, check=False).returncode == 0
    try:
        if mounted:
            # The key of the receipts is there already; then nothing more fits.
            (folder / "receipt-key").write_text("a key of the measurement")
            with contextlib.suppress(OSError):
                (folder / "filler").write_bytes(b"0" * 2**21)
        yield mounted
    finally:
        if mounted:
            subprocess.run(["umount", "-l", str(folder)], check=False)
