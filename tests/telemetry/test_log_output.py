"""A log that cannot be written: the service goes on, and says what was lost, once."""

from __future__ import annotations

import errno
import json
import logging
import os
import subprocess
import sys
from collections.abc import Iterator

import pytest

from telemetry.logs import LineHandler

LOST = "log lines before this one could not be written and are lost"


class Disk:
    """What `os.write` writes to: takes `room` bytes, then it is full."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.room = 1 << 20
        self.content = b""
        monkeypatch.setattr(os, "write", self._write)

    def _write(self, descriptor: int, content: bytes) -> int:
        if not self.room:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        taken = content[: self.room]
        self.room -= len(taken)
        self.content += taken
        return len(taken)


@pytest.fixture
def log() -> Iterator[logging.Logger]:
    """A logger whose lines go to standard output."""
    made, handler = logging.getLogger("lost lines"), LineHandler()
    made.addHandler(handler)
    made.propagate = False
    yield made
    made.removeHandler(handler)


def messages(content: bytes) -> list[str]:
    """Of the lines; one that broke off is told as such."""
    found = []
    for line in content.splitlines():
        try:
            found.append(json.loads(line)["message"])
        except json.JSONDecodeError:
            found.append("broken off")
    return found


def test_lines_that_find_no_room_are_counted_in_the_first_that_does(
    monkeypatch: pytest.MonkeyPatch, log: logging.Logger, capfd: pytest.CaptureFixture[str]
) -> None:
    disk = Disk(monkeypatch)
    disk.room = 0
    for number in range(3):
        log.warning("lost %d", number)
    disk.room = 1 << 20
    log.warning("kept")
    log.warning("kept, too")
    assert messages(disk.content) == ["kept", f"3 {LOST}", "kept, too"]
    assert capfd.readouterr().err == (
        "Log lines are lost: OSError: [Errno 28] No space left on device\n"
    )


def test_line_that_breaks_off_does_not_spoil_the_next(
    monkeypatch: pytest.MonkeyPatch, log: logging.Logger
) -> None:
    disk = Disk(monkeypatch)
    disk.room = 50
    log.warning("torn")
    log.warning("lost")
    disk.room = 1 << 20
    log.warning("kept")
    assert messages(disk.content) == ["broken off", "kept", f"2 {LOST}"]


@pytest.mark.parametrize("room", [0, 40], ids=["not at all", "in part"])
def test_number_of_lost_lines_is_not_lost_itself(
    monkeypatch: pytest.MonkeyPatch, log: logging.Logger, room: int
) -> None:
    """There is room for one line, and none for the one that says how many were lost."""
    disk = Disk(monkeypatch)
    log.warning("kept")
    line = len(disk.content)
    disk.room = 0
    for number in range(3):
        log.warning("lost %d", number)
    disk.room = line + room
    log.warning("kept")
    disk.room = 1 << 20
    log.warning("kept")
    torn = ["broken off"] * (room > 0)
    assert messages(disk.content) == ["kept", "kept", *torn, "kept", f"3 {LOST}"]


@pytest.fixture
def closed_pipe() -> Iterator[int]:
    """The end to write to of one that nobody reads any more."""
    reader, writer = os.pipe()
    os.close(reader)
    yield writer
    os.close(writer)


@pytest.mark.parametrize(
    "target", ["", ">/dev/full", ">&-"], ids=["closed pipe", "full disk", "no output at all"]
)
def test_service_goes_on_without_its_log(target: str, closed_pipe: int) -> None:
    """The system's own refusals; what is logged again and again is said once."""
    script = (
        "import logging, logging.config\n"
        "from telemetry.logs import build_logging_config\n"
        "logging.config.dictConfig(build_logging_config('info'))\n"
        "for number in range(1000): logging.info('%d', number)\n"
    )
    done = subprocess.run(
        ["sh", "-c", f'exec "$@" {target}', "sh", sys.executable, "-c", script],
        stdout=closed_pipe,
        stderr=subprocess.PIPE,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0
    [said] = done.stderr.splitlines()
    assert said.startswith("Log lines are lost: ")
