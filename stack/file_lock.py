"""A lock held by one process at a time and given back by the system however that process ends."""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

POLL_SECONDS = 0.2


def try_lock(path: Path) -> TextIO | None:
    """The open lock file, or None when another process holds it; closing it gives it back."""
    path.parent.mkdir(parents=True, exist_ok=True)
    file = path.open("a+")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        file.close()
        return None
    file.truncate(0)
    file.write(f"{os.getpid()}\n")
    file.flush()
    return file


@contextmanager
def lock(path: Path, waiting: Callable[[], None] = lambda: None) -> Iterator[None]:
    """Holds the lock for the block; calls `waiting`, which may raise, while it waits for it."""
    while (file := try_lock(path)) is None:
        waiting()
        time.sleep(POLL_SECONDS)
    with file:
        yield
