"""A worker that has had its requests ends when its successor is ready."""

from __future__ import annotations

import os
import signal
import stat
import tempfile
import time
from collections.abc import Iterator
from types import SimpleNamespace
from unittest.mock import Mock

import pytest
from flask import Flask
from gunicorn.arbiter import Arbiter as RealArbiter
from gunicorn.errors import HaltServer

from handler import create_asgi_app
from service.recycling import FINISHED, READY, RecycledWorker, RollingReplacement
from telemetry.lifecycle import Telemetry


class Workers:
    """An arbiter's workers, by its own way to keep their number; pids count up from 1."""

    cfg = SimpleNamespace(enable_backlog_metric=False)
    log = SimpleNamespace(debug=lambda *_, **__: None)
    _last_logged_active_worker_count = None

    def __init__(self, wanted: int) -> None:
        self.num_workers, self.WORKERS = wanted, dict[int, SimpleNamespace]()
        self.told: list[int] = []
        self.cannot_start: list[int] = []
        self._age = 0
        self._replacement = RollingReplacement(self)  # type: ignore[arg-type]

    def manage_workers(self) -> None:
        RealArbiter.manage_workers(self)  # type: ignore[arg-type]

    def spawn_workers(self) -> None:
        while len(self.WORKERS) < self.num_workers:
            self._spawn_worker()

    def _spawn_worker(self) -> None:
        self._age += 1
        heartbeat = tempfile.TemporaryFile()  # noqa: SIM115
        self.WORKERS[self._age] = SimpleNamespace(age=self._age, tmp=heartbeat)

    def reap_workers(self) -> None:
        """gunicorn's own."""
        while self.cannot_start:
            del self.WORKERS[self.cannot_start.pop()]
            raise HaltServer("Worker failed to boot.", RealArbiter.WORKER_BOOT_ERROR)

    def fail_to_start(self, *pids: int) -> None:
        """They exit before they serve."""
        self.cannot_start.extend(pids)
        self._replacement.reap_workers()

    def reload(self) -> None:
        """gunicorn's own."""
        for _ in range(self.num_workers):
            self._spawn_worker()
        self._replacement.manage_workers()

    def hang_up(self) -> None:
        """SIGHUP."""
        self._replacement.reload()

    def kill_worker(self, pid: int, sig: int) -> None:
        assert sig == signal.SIGTERM
        self.told.append(pid)

    def turn(self) -> list[int]:
        """Who is there after another turn of the arbiter's loop."""
        self._replacement.manage_workers()
        return sorted(self.WORKERS)

    def say(self, state: int, *pids: int) -> None:
        for pid in pids:
            os.fchmod(self.WORKERS[pid].tmp.fileno(), state)

    def end(self, *pids: int) -> None:
        for pid in pids:
            self.WORKERS.pop(pid).tmp.close()


@pytest.fixture
def two() -> Iterator[Workers]:
    """Two workers that serve."""
    workers = Workers(2)
    workers.turn()
    workers.say(READY, 1, 2)
    yield workers
    workers.end(*list(workers.WORKERS))


def test_worker_says_that_it_has_had_its_requests(app: Flask, recorded: Telemetry) -> None:
    """From then on it keeps no connection."""
    worker = RecycledWorker.__new__(RecycledWorker)
    with tempfile.TemporaryFile() as file:
        worker.tmp = Mock(fileno=file.fileno)
        application = create_asgi_app(app)
        worker.wsgi = application  # type: ignore[assignment]
        worker.max_requests = 2
        states = []
        for _ in range(2):
            recorded.recorder.record_response("GET", "/", 200, 0.01)
            worker.notify()
            state = stat.S_IMODE(os.fstat(file.fileno()).st_mode)
            states.append((state == FINISHED, application.stopping))
    assert states == [(False, False), (True, True)]


def test_worker_ends_when_its_successor_is_ready(two: Workers) -> None:
    two.say(FINISHED, 1)
    assert two.turn() == two.turn() == [1, 2, 3]
    assert two.told == []
    two.say(READY, 3)
    assert two.turn() == two.turn() == [1, 2, 3]
    assert two.told == [1]
    two.end(1)
    assert two.turn() == [2, 3]


def test_workers_that_finish_together_are_replaced_in_turn(two: Workers) -> None:
    """Never more than one too many, of which each needs a slot, never fewer that serve."""
    two.say(FINISHED, 1, 2)
    assert two.turn() == [1, 2, 3]
    two.say(READY, 3)
    assert two.turn() == two.turn() == [1, 2, 3]
    assert two.told == [1]
    two.end(1)
    assert two.turn() == [2, 3, 4]
    two.say(READY, 4)
    assert two.turn() == [2, 3, 4]
    assert two.told == [1, 2]


def test_successor_that_dies_has_a_successor(two: Workers) -> None:
    two.say(FINISHED, 2)
    two.turn()
    two.end(3)
    assert two.turn() == [1, 2, 4]
    assert two.told == []


def test_worker_that_dies_is_replaced_as_ever(two: Workers) -> None:
    two.end(1)
    assert two.turn() == [2, 3]
    assert two.num_workers == 2


def test_successor_that_cannot_start_is_tried_again_later(
    two: Workers, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """And whoever has had its requests goes on."""
    now = time.monotonic()
    monkeypatch.setattr(time, "monotonic", lambda: now)
    two.say(FINISHED, 1)
    assert two.turn() == [1, 2, 3]
    heartbeat = two.WORKERS[3].tmp
    two.fail_to_start(3)
    assert heartbeat.closed
    said = "a worker cannot start: the others serve, the next try is in 10 s"
    assert caplog.messages == [said]
    assert two.turn() == two.turn() == [1, 2]
    now += 11
    assert two.turn() == [1, 2, 4]
    assert two.told == []


def test_dead_workers_successors_cannot_start(two: Workers) -> None:
    """Both at once; the one that is left serves."""
    two.num_workers = 3
    two.end(1)
    assert two.turn() == [2, 3, 4]
    two.fail_to_start(3, 4)
    assert two.turn() == [2]
    assert two.told == []


def test_nothing_waits_for_the_next_try_once_nobody_serves(two: Workers) -> None:
    two.end(1)
    assert two.turn() == [2, 3]
    two.fail_to_start(3)
    assert two.turn() == [2]
    two.end(2)
    assert two.turn() == [4, 5]


def test_service_ends_where_no_worker_can_start(two: Workers) -> None:
    two.end(1, 2)
    two.turn()
    with two.WORKERS[3].tmp, pytest.raises(HaltServer):
        two.fail_to_start(3)


def test_fewer_workers_are_wanted_by_a_signal(two: Workers) -> None:
    """TTOU: gunicorn ends the oldest."""
    two.num_workers = 1
    two.turn()
    assert two.told == [1]


def test_reload_ends_who_waits_for_a_successor(two: Workers) -> None:
    """All who were there, also a successor: else gunicorn waits for its whole graceful time."""
    two.say(FINISHED, 1)
    assert two.turn() == [1, 2, 3]
    two.hang_up()
    assert two.told == [1, 2, 3]
    two.end(1, 2, 3)
    two.say(READY, 4, 5)
    assert two.turn() == [4, 5]
    assert two.told == [1, 2, 3]


def test_reload_ends_who_was_told_to_end_already(two: Workers) -> None:
    two.say(FINISHED, 1)
    two.turn()
    two.say(READY, 3)
    two.turn()
    assert two.told == [1]
    two.hang_up()
    assert two.told == [1, 1, 2, 3]
