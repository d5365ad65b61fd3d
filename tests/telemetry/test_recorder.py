"""Every call of the recorder is made by somebody: what nobody calls would stay at 0 for ever."""

from __future__ import annotations

import inspect

import pytest

from telemetry.recorder import Recorder
from tests.lab.paths import ROOT

_CALLS = [name for name, _ in inspect.getmembers(Recorder, inspect.isfunction) if name[0] != "_"]


@pytest.mark.parametrize("method", _CALLS)
def test_recorder_is_called(method: str) -> None:
    files = [path for room in ("service", "telemetry") for path in (ROOT / room).rglob("*.py")]
    callers = [path for path in files if f".{method}(" in path.read_text(encoding="utf-8")]
    assert callers, f"nothing in service/ calls Recorder.{method}: what it counts stays at 0"
