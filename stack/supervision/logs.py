"""What the processes print goes to logs/<name>.log, each bounded to three files of 5 MB."""

from __future__ import annotations

import logging
from collections import deque
from datetime import datetime
from logging.handlers import RotatingFileHandler
from pathlib import Path
from typing import Protocol

MAX_BYTES = 5_000_000
OLDER_FILES = 2
SUPERVISOR = "stack"


class Message(Protocol):
    """What honcho hands to its printer."""

    name: str
    data: str | bytes
    time: datetime


class LogFiles:
    """A honcho printer that writes to files: <process>.log, and stack.log for honcho itself."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.width = 0
        self._folder = folder
        self._files: dict[str, RotatingFileHandler] = {}

    def write(self, message: Message) -> None:
        """One line of one process."""
        name = SUPERVISOR if message.name == "system" else message.name
        if name not in self._files:
            self._files[name] = RotatingFileHandler(
                self._folder / f"{name}.log", maxBytes=MAX_BYTES, backupCount=OLDER_FILES
            )
        data = message.data
        line = data.decode(errors="replace") if isinstance(data, bytes) else data
        if name == SUPERVISOR:
            line = f"{message.time:%Y-%m-%d %H:%M:%S.%f} {line}"
        self._files[name].emit(logging.makeLogRecord({"msg": line.rstrip("\n")}))

    def close(self) -> None:
        """Closes the files."""
        for file in self._files.values():
            file.close()


def read_tail(path: Path, lines: int = 10) -> list[str]:
    """The last lines of a log file; none when there is no file."""
    try:
        with path.open(errors="replace") as file:
            return [line.rstrip("\n") for line in deque(file, maxlen=lines)]
    except FileNotFoundError:
        return []
