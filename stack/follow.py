"""From 'started' to 'predictions growing', then the live line until somebody ends it."""

from __future__ import annotations

import shutil
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TextIO

from .errors import StackError
from .figures import Source
from .progress import PIPED_SECONDS, Board
from .web import get

READY_SECONDS = 180.0
POLL_SECONDS = 1.0
TERMINAL_SECONDS = 2.0


@dataclass(frozen=True)
class Probe:
    """A part of the stack and the address that answers with 2xx once it is ready."""

    name: str
    url: str


def wait_until_growing(
    source: Source, probes: Sequence[Probe], check: Callable[[], None], board: Board
) -> None:
    """Returns when every part answers and the count of predictions was seen to grow.

    `check` raises when a part has ended. Raises StackError after 180 s, naming what is missing.
    """
    task = board.start("service")
    deadline = time.monotonic() + READY_SECONDS
    before: float | None = None
    while True:
        silent = [probe.name for probe in probes if get(probe.url) is None]
        total = None if silent else source.read().total
        if total is not None and before is not None and total > before:
            board.finish(task, f"ready, {total:,.0f} predictions and growing")
            return
        before = total
        waiting = _awaited(silent, total)
        task.tell(waiting)
        try:
            check()
            if time.monotonic() > deadline:
                raise StackError(f"Not ready after {READY_SECONDS:.0f} s: {waiting}; see logs/.")
        except StackError:
            board.finish(task, waiting, failed=True)
            raise
        time.sleep(POLL_SECONDS)


def _awaited(silent: Sequence[str], total: float | None) -> str:
    if silent:
        return f"waiting for {', '.join(silent)}"
    if total is None:
        return "waiting for the first predictions"
    return f"waiting for more than {total:,.0f} predictions"


def show_live(source: Source, check: Callable[[], None], stream: TextIO | None = None) -> None:
    """One line of figures, refreshed in place; elsewhere than on a terminal a line each 15 s.

    Never returns; `check` raises when a part has ended.
    """
    out = stream or sys.stdout
    on_terminal = out.isatty()
    every = TERMINAL_SECONDS if on_terminal else PIPED_SECONDS
    while True:
        line = source.read().line()
        if on_terminal:
            width = shutil.get_terminal_size().columns - 1
            out.write(f"\r\x1b[2K{line[:width]}")
        else:
            out.write(f"{time.strftime('%H:%M:%S')} {line}\n")
        out.flush()
        _watch(check, every)


def _watch(check: Callable[[], None], seconds: float) -> None:
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        check()
        time.sleep(min(0.5, seconds))
