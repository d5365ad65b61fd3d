"""The line of key metrics that `up` shows until somebody ends it."""

from __future__ import annotations

import shutil
import sys
import time
from collections.abc import Callable
from typing import TextIO

from stack.monitoring.key_metrics import Source
from stack.progress import PIPED_SECONDS

TERMINAL_SECONDS = 2.0


def show_live_line(source: Source, check: Callable[[], None], stream: TextIO | None = None) -> None:
    """One line of key metrics, refreshed in place; elsewhere than on a terminal a line each 15 s.

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
        _keep_checking(check, every)


def _keep_checking(check: Callable[[], None], seconds: float) -> None:
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        check()
        time.sleep(min(0.5, seconds))
