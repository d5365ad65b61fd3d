"""What long work is doing: lines refreshed in place on a terminal, one line each 15 s elsewhere."""

from __future__ import annotations

import shutil
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import TracebackType
from typing import TextIO

REFRESH_SECONDS = 0.5
PIPED_SECONDS = 15.0


def format_duration(seconds: float) -> str:
    """A duration for people: "8 s", "2 min 05 s"."""
    minutes, rest = divmod(int(seconds), 60)
    return f"{minutes} min {rest:02d} s" if minutes else f"{rest} s"


@dataclass
class Task:
    """One piece of work; any thread may `update` what it is doing."""

    name: str
    started: float
    text: str = "starting"
    mark: str = " "
    finished: float | None = None

    def update(self, text: str) -> None:
        """Replaces what is shown after the name."""
        self.text = text

    def line(self, now: float) -> str:
        """The task on one line."""
        took = format_duration((self.finished or now) - self.started)
        return f"{self.mark} {self.name}: {self.text}, {took}"


@dataclass
class ProgressDisplay:
    """Shows its tasks while the `with` block lasts; every task ends with one line that stays."""

    stream: TextIO = field(default_factory=lambda: sys.stdout)
    piped_seconds: float = PIPED_SECONDS
    _active: list[Task] = field(default_factory=list)
    _ended: list[Task] = field(default_factory=list)
    _drawn: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _stop: threading.Event = field(default_factory=threading.Event)
    _thread: threading.Thread | None = None

    def __enter__(self) -> ProgressDisplay:
        self._thread = threading.Thread(target=self._refresh, daemon=True)
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stop.set()
        if self._thread is not None:
            self._thread.join()
        with self._lock:
            self._draw(time.monotonic(), last=True)

    def start(self, name: str, text: str = "starting") -> Task:
        """A new task, shown from now on."""
        task = Task(name, time.monotonic(), text)
        with self._lock:
            self._active.append(task)
        return task

    def finish(self, task: Task, text: str = "ready", *, failed: bool = False) -> None:
        """Ends the task; its line stays on the screen."""
        task.text, task.finished, task.mark = text, time.monotonic(), "✗" if failed else "✓"
        with self._lock:
            self._active.remove(task)
            self._ended.append(task)
            self._draw(time.monotonic())

    def lines(self) -> list[str]:
        """The tasks of now, as they are shown."""
        with self._lock:
            return [task.line(time.monotonic()).strip() for task in self._active]

    @contextmanager
    def show(
        self, name: str, text: str = "starting", *, done: str = "ready", failed: str
    ) -> Iterator[Task]:
        """A task as long as the block lasts; its last line is `done`, or `failed` where the block
        raises."""
        task = self.start(name, text)
        try:
            yield task
        except BaseException:
            self.finish(task, failed, failed=True)
            raise
        self.finish(task, done)

    def _refresh(self) -> None:
        every = REFRESH_SECONDS if self.stream.isatty() else self.piped_seconds
        while not self._stop.wait(every):
            with self._lock:
                self._draw(time.monotonic(), tick=True)

    def _draw(self, now: float, *, tick: bool = False, last: bool = False) -> None:
        ended = [task.line(now) for task in self._ended]
        self._ended.clear()
        if self.stream.isatty():
            # What was interrupted stays on the screen as it was.
            self._repaint(ended, [task.line(now) for task in self._active])
            if last:
                self._drawn = 0
        else:
            shown = ended + ([task.line(now) for task in self._active] if tick else [])
            self.stream.write("".join(f"{line}\n" for line in shown))
        self.stream.flush()

    def _repaint(self, ended: list[str], active: list[str]) -> None:
        width = shutil.get_terminal_size().columns - 1
        up = f"\x1b[{self._drawn}F" if self._drawn else ""
        lines = "".join(f"\x1b[2K{line[:width]}\n" for line in ended + active)
        self.stream.write(f"{up}{lines}\x1b[J")
        self._drawn = len(active)
