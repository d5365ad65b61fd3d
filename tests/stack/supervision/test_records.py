"""Only what the stack started is ever signalled."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from subprocess import Popen

import pytest

from stack.supervision.records import (
    ProcessRecord,
    find_running,
    make_record,
    read_record,
    read_records,
    stop_processes,
    write_record,
)
from tests.lab.polling import until
from tests.stack.conftest import gone, python

Spawn = Callable[..., Popen[str]]


def test_a_record_survives_the_file(tmp_path: Path) -> None:
    record = make_record("handler", os.getpid())
    write_record(tmp_path, record)
    assert read_records(tmp_path) == [record]


@pytest.mark.parametrize("content", ["", "{", "[]", '{"name": "x"}', '{"name":1,"pid":"y"}'])
def test_a_damaged_record_is_none(tmp_path: Path, content: str) -> None:
    (tmp_path / "x.json").write_text(content)
    assert read_record(tmp_path / "x.json") is None


def test_stop_spares_a_process_that_only_has_the_same_id(spawn: Spawn) -> None:
    """The system gave the id to somebody else after our process ended."""
    stranger = spawn(python("import time; time.sleep(60)"))
    ours = make_record("handler", stranger.pid)
    recycled = ProcessRecord("handler", stranger.pid, ours.created - 100)
    assert find_running(recycled) is None
    stop_processes([recycled], grace_seconds=0)
    assert stranger.poll() is None


def test_stop_ends_a_process_with_its_children(spawn: Spawn, tmp_path: Path) -> None:
    code = (
        "import subprocess, sys, time, pathlib;"
        f"child = subprocess.Popen({python('import time; time.sleep(60)')!r});"
        f"pathlib.Path({str(tmp_path / 'child')!r}).write_text(str(child.pid)); time.sleep(60)"
    )
    parent = spawn(python(code))
    child = tmp_path / "child"
    until(lambda: child.exists() and bool(child.read_text()), 60, "the child runs")
    stop_processes([make_record("handler", parent.pid)], grace_seconds=0.2)
    assert gone(parent.pid) and gone(int(child.read_text()))


def test_stop_kills_what_ignores_the_request(spawn: Spawn) -> None:
    code = "import signal, time; signal.signal(15, signal.SIG_IGN); print('on'); time.sleep(60)"
    stubborn = spawn(python(code), stdout=-1)
    assert stubborn.stdout is not None and stubborn.stdout.readline() == "on\n"
    stop_processes([make_record("handler", stubborn.pid)], grace_seconds=0.2)
    assert gone(stubborn.pid)
