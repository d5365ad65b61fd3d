"""How far the start is, for the service's own page: a file that the handler reads.

The names of the states are those of `service/pages/stack_progress.py`.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

EVERY_SECONDS = 1.0
BUILDING, WATCHED, UNWATCHED = "building", "watched", "unwatched"


def write_progress(file: Path, state: str, *lines: str) -> None:
    """Replaces what the file says, at once."""
    unfinished = file.with_suffix(".unfinished")
    unfinished.write_text(json.dumps({"state": state, "lines": lines}), encoding="utf-8")
    unfinished.replace(file)


@contextmanager
def building(file: Path, lines: Callable[[], list[str]]) -> Iterator[None]:
    """Writes the lines of now each second while the block lasts."""
    ended = threading.Event()

    def write() -> None:
        while not ended.wait(EVERY_SECONDS):
            write_progress(file, BUILDING, *lines())

    write_progress(file, BUILDING, *lines())
    thread = threading.Thread(target=write)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()
