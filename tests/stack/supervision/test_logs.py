"""Logs are kept in files of bounded size."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import pytest

from stack.supervision import logs


@dataclass
class Line:
    name: str
    data: str | bytes
    time: datetime = datetime(2026, 11, 24, 7, 8, 9)


def test_each_process_has_its_file(tmp_path: Path) -> None:
    files = logs.LogFiles(tmp_path / "logs")
    files.write(Line("handler", b"caf\xc3\xa9\n"))
    files.write(Line("system", "handler started (pid=1)\n"))
    files.close()
    assert (tmp_path / "logs" / "handler.log").read_text() == "café\n"
    assert (tmp_path / "logs" / "stack.log").read_text() == (
        "2026-11-24 07:08:09.000000 handler started (pid=1)\n"
    )


def test_a_file_is_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(logs, "MAX_BYTES", 1000)
    files = logs.LogFiles(tmp_path)
    for number in range(1000):
        files.write(Line("handler", f"line {number}\n"))
    files.close()
    kept = sorted(tmp_path.iterdir())
    assert [path.name for path in kept] == ["handler.log", "handler.log.1", "handler.log.2"]
    assert sum(path.stat().st_size for path in kept) <= 3000
    assert logs.read_tail(tmp_path / "handler.log", 1) == ["line 999"]


def test_the_tail_of_no_file_is_empty(tmp_path: Path) -> None:
    assert logs.read_tail(tmp_path / "none.log") == []
