"""Runs a command to its end, line by line: its progress can be shown, and it can be stopped."""

from __future__ import annotations

import subprocess
import threading
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from stack.errors import StackError

TAIL_LINES = 15


class CommandFailed(StackError):
    """Names what failed, its exit code and the last lines that it printed."""


@dataclass
class SubprocessRunner:
    """The commands that run now; `cancel` ends them all, and none starts after it."""

    _running: set[subprocess.Popen[str]] = field(default_factory=set)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _cancelled: bool = False

    def run(
        self,
        what: str,
        command: Sequence[str],
        *,
        cwd: Path,
        env: Mapping[str, str] | None = None,
        on_line: Callable[[str], None] = lambda line: None,
    ) -> list[str]:
        """Runs it and gives its last lines; raises CommandFailed unless it ends with 0."""
        tail: deque[str] = deque(maxlen=TAIL_LINES)
        process = self._start(what, command, cwd, env)
        try:
            assert process.stdout is not None
            for line in process.stdout:
                tail.append(line.rstrip())
                on_line(line.rstrip())
        except BaseException:
            # An interruption: the command must not go on behind it.
            process.terminate()
            raise
        finally:
            process.communicate()
            with self._lock:
                self._running.discard(process)
        if process.returncode != 0:
            raise self._failure(what, process.returncode, list(tail))
        return list(tail)

    def cancel(self) -> None:
        """Asks every running command to end."""
        with self._lock:
            self._cancelled = True
            for process in self._running:
                process.terminate()

    def check(self) -> None:
        """Raises CommandFailed after a `cancel`; for work that waits."""
        if self._cancelled:
            raise CommandFailed("interrupted")

    def _start(
        self, what: str, command: Sequence[str], cwd: Path, env: Mapping[str, str] | None
    ) -> subprocess.Popen[str]:
        with self._lock:
            if self._cancelled:
                raise CommandFailed(f"{what} was interrupted")
            process = subprocess.Popen(
                command,
                cwd=cwd,
                env=env,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                errors="replace",
            )
            self._running.add(process)
            return process

    def _failure(self, what: str, code: int, tail: list[str]) -> CommandFailed:
        if self._cancelled:
            return CommandFailed(f"{what} was interrupted")
        said = "".join(f"\n  {line}" for line in tail)
        return CommandFailed(f"{what} failed with exit code {code}; its last lines:{said}")
