"""What runs now, for `stop`, `status` and a second start: .run/stack.json and .run/stack.lock.

The lock decides: the system releases it however the stack ends. The file describes the rest.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TextIO

from stack.errors import StackError
from stack.file_lock import try_lock
from stack.supervision.records import ProcessRecord, find_running, make_record

DOCKER = "docker"
NATIVE = "native"
LOCK = "stack.lock"
STATE = "stack.json"


@dataclass(frozen=True)
class State:
    """A running stack: how it runs, the process that shows it, and where it answers."""

    mode: str
    process: ProcessRecord
    started: float
    """Unix seconds."""
    addresses: Mapping[str, str]
    """Name shown to people -> address."""


def acquire(run: Path) -> TextIO:
    """The lock that lasts as long as this start; raises StackError when another one holds it."""
    held = try_lock(run / LOCK)
    if held is None:
        state = read(run)
        since = f" (pid {state.process.pid})" if state else ""
        raise StackError(
            f"The stack is running already{since}: see `./start_mlops.sh status`,"
            " end it with `./start_mlops.sh stop`."
        )
    return held


def is_locked(run: Path) -> bool:
    """True while a start holds the lock."""
    if not (run / LOCK).exists():
        return False
    held = try_lock(run / LOCK)
    if held is None:
        return True
    held.close()
    return False


def write(run: Path, mode: str, addresses: Mapping[str, str]) -> None:
    """Writes that this process shows the stack."""
    state = State(mode, make_record("stack", os.getpid()), time.time(), dict(addresses))
    unfinished = run / f"{STATE}.unfinished"
    unfinished.write_text(json.dumps(asdict(state)))
    unfinished.replace(run / STATE)


def read(run: Path) -> State | None:
    """What the last start wrote; None when it has ended cleanly."""
    try:
        content = json.loads((run / STATE).read_text())
        process = ProcessRecord(**content.pop("process"))
        return State(process=process, **content)
    except (OSError, ValueError, KeyError, TypeError):
        return None


def clear(run: Path) -> None:
    """Nothing runs any more."""
    (run / STATE).unlink(missing_ok=True)


def read_running(run: Path) -> State | None:
    """The state of the stack that runs now, or None."""
    state = read(run)
    return state if state is not None and find_running(state.process) is not None else None
