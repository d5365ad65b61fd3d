"""What runs now, for `stop`, `status` and a second start: .run/stack.json and .run/stack.lock.

The lock is the truth: the system gives it back however the stack ends. The file tells the rest.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TextIO

from .errors import StackError
from .locks import try_lock
from .processes import Record, alive, record_of

DOCKER = "docker"
NATIVE = "native"
LOCK = "stack.lock"
STATE = "stack.json"


@dataclass(frozen=True)
class State:
    """A running stack: how it runs, the process that shows it, and where it answers."""

    mode: str
    process: Record
    started: float
    """Unix seconds."""
    addresses: Mapping[str, str]
    """Name shown to people -> address."""


def hold(run: Path) -> TextIO:
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


def is_held(run: Path) -> bool:
    """True while a start holds the lock."""
    if not (run / LOCK).exists():
        return False
    held = try_lock(run / LOCK)
    if held is None:
        return True
    held.close()
    return False


def write(run: Path, mode: str, addresses: Mapping[str, str]) -> None:
    """Tells that this process shows the stack."""
    state = State(mode, record_of("stack", os.getpid()), time.time(), dict(addresses))
    unfinished = run / f"{STATE}.unfinished"
    unfinished.write_text(json.dumps(asdict(state)))
    unfinished.replace(run / STATE)


def read(run: Path) -> State | None:
    """What the last start wrote; None when it has ended cleanly."""
    try:
        content = json.loads((run / STATE).read_text())
        process = Record(**content.pop("process"))
        return State(process=process, **content)
    except (OSError, ValueError, KeyError, TypeError):
        return None


def clear(run: Path) -> None:
    """Nothing runs any more."""
    (run / STATE).unlink(missing_ok=True)


def running(run: Path) -> State | None:
    """The state of the stack that runs now, or None."""
    state = read(run)
    return state if state is not None and alive(state.process) is not None else None
