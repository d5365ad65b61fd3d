"""Signals end a run early, and its summary is still printed."""

from __future__ import annotations

import asyncio
import json
import signal
import time
from collections.abc import Callable, Iterator
from itertools import count
from unittest.mock import Mock

import pytest

from simulator.simulation import _check_in_thread
from tests.lab.ports import free_port
from tests.simulator.faulty_target import ScoringServer
from tests.simulator.runs import StartProgram, read_line


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_run_ends_at_once_on_a_signal_and_prints_its_summary(
    start: StartProgram,
    target: ScoringServer,
    wait_until: Callable[[Callable[[], bool]], None],
    number: signal.Signals,
) -> None:
    """Also with requests under way; they are counted apart and are no failures."""
    target.before_answer = lambda n: time.sleep(8) if n > 20 else None
    process = start("--rate", 50, "--json", "--faulty", 0)
    wait_until(lambda: len(target.received) > 30)

    process.send_signal(number)
    begin = time.monotonic()
    out, _ = process.communicate(timeout=30)

    summary = json.loads(out)
    assert time.monotonic() - begin < 5
    assert process.returncode == 0 and summary["interrupted"]
    assert summary["sent"] == summary["answered"] + summary["unanswered"]["interrupted"]
    assert summary["unanswered"]["interrupted"] >= 10
    assert summary["failed_share"] == 0


def test_run_ends_at_once_while_it_waits_for_its_target(start: StartProgram) -> None:
    """A signal is heard before anything was sent too."""
    process = start("--wait-for-target", 60, url=f"http://127.0.0.1:{free_port()}")
    read_line(process)

    process.send_signal(signal.SIGTERM)

    _, errors = process.communicate(timeout=10)
    assert process.returncode == 1
    assert " was reached" in errors
    assert "Traceback" not in errors


def test_check_of_a_large_table_ends_with_the_run(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its thread is waited for: a table of millions of rows must not be read to its end."""
    read: list[int] = []

    def read_rows(*_: object) -> Iterator[Mock]:
        for number in count():
            read.append(number)
            yield Mock(time=None)

    async def run() -> None:
        checking = asyncio.create_task(_check_in_thread(Mock(), Mock()))
        while not read:
            await asyncio.sleep(0.01)
        checking.cancel()
        with pytest.raises(asyncio.CancelledError):
            await checking

    monkeypatch.setattr("simulator.replay.rows.read_replay_rows", read_rows)
    asyncio.run(run())
