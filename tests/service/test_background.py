"""Work in the background goes on, whatever a task does and a sandbox forbids."""

from __future__ import annotations

import os
import threading
from typing import NoReturn

import pytest

from service.background import BackgroundWorker


def test_work_is_done_where_priorities_cannot_be_set(monkeypatch: pytest.MonkeyPatch) -> None:
    def forbid(*_: int) -> NoReturn:
        raise PermissionError

    monkeypatch.setattr(os, "setpriority", forbid)
    done = threading.Event()
    BackgroundWorker("test").submit(done.set)
    assert done.wait(10)
