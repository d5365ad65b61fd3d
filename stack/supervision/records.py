"""The processes that the stack started, written down so that exactly these are stopped, later too.

A record is a process id with the moment that process began: a process id that the system gave to
somebody else meanwhile does not match, and is never signalled.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path

import psutil

# Clock corrections move the start that the system reports by fractions of a second.
_SAME_START_SECONDS = 1.0


@dataclass(frozen=True)
class ProcessRecord:
    """A started process, the leader of its own process group; `created` in unix seconds."""

    name: str
    pid: int
    created: float


def make_record(name: str, pid: int) -> ProcessRecord:
    """The record of a process that runs now."""
    return ProcessRecord(name, pid, psutil.Process(pid).create_time())


def write_record(folder: Path, record: ProcessRecord) -> None:
    """Keeps the record as <folder>/<name>.json, whole or not at all."""
    folder.mkdir(parents=True, exist_ok=True)
    unfinished = folder / f".{record.name}.{os.getpid()}"
    unfinished.write_text(json.dumps(asdict(record)))
    unfinished.replace(folder / f"{record.name}.json")


def read_record(path: Path) -> ProcessRecord | None:
    """The record in the file; None when there is none or it cannot be read."""
    try:
        content = json.loads(path.read_text())
        return ProcessRecord(str(content["name"]), int(content["pid"]), float(content["created"]))
    except (OSError, ValueError, KeyError, TypeError):
        return None


def read_records(folder: Path) -> list[ProcessRecord]:
    """Every record of the folder, by name."""
    found = (read_record(path) for path in sorted(folder.glob("*.json")))
    return [record for record in found if record is not None]


def find_running(record: ProcessRecord) -> psutil.Process | None:
    """The recorded process, while it runs; a zombie and a namesake by id do not count."""
    try:
        process = psutil.Process(record.pid)
        same = abs(process.create_time() - record.created) < _SAME_START_SECONDS
        running = same and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return None
    return process if running else None


def process_tree(record: ProcessRecord) -> list[psutil.Process]:
    """The recorded process and its descendants, parents first; empty when it does not run."""
    leader = find_running(record)
    if leader is None:
        return []
    try:
        return [leader, *leader.children(recursive=True)]
    except psutil.NoSuchProcess:
        return []


def stop_processes(records: Iterable[ProcessRecord], grace_seconds: float) -> None:
    """SIGTERM to each recorded process, SIGKILL to what is left of them after the grace."""
    families = [process_tree(record) for record in records]
    for members in families:
        _signal(members[:1], kill=False)
    everyone = [process for members in families for process in members]
    _, left = psutil.wait_procs(everyone, timeout=grace_seconds)
    _signal(left, kill=True)
    psutil.wait_procs(left, timeout=1.0)


def wait_for_end(record: ProcessRecord, seconds: float) -> None:
    """Returns when the recorded process has ended, or after that time."""
    process = find_running(record)
    if process is not None:
        psutil.wait_procs([process], timeout=seconds)


def _signal(processes: Iterable[psutil.Process], *, kill: bool) -> None:
    for process in processes:
        try:
            # psutil compares the start again before it signals.
            process.kill() if kill else process.terminate()
        except psutil.NoSuchProcess:
            continue
