"""Workers that start together end one after the other: each has another part of its first life."""

from __future__ import annotations

import gc
import runpy
import sys
from itertools import pairwise
from pathlib import Path
from random import Random
from types import SimpleNamespace

import pytest

from service.recycling import stagger
from tests.lab.paths import ROOT

REQUESTS, WORKERS = 1000, 4


class Arbiter(SimpleNamespace):
    """As much of gunicorn's as gunicorn.conf.py sees."""

    def __init__(self, configuration: dict[str, object]) -> None:
        names = ("max_requests", "max_requests_jitter")
        cfg = SimpleNamespace(**{name: configuration[name] for name in names})
        super().__init__(WORKERS={}, num_workers=WORKERS, cfg=cfg)
        self._configuration = configuration
        self._random = Random(1)

    def start_worker(self) -> int:
        """After how many requests it ends."""
        jitter = self._random.randint(0, self.cfg.max_requests_jitter)
        # As gunicorn's own worker has it.
        most = self.cfg.max_requests + jitter if self.cfg.max_requests else sys.maxsize
        worker = SimpleNamespace(max_requests=most)
        self._configuration["pre_fork"](self, worker)  # type: ignore[operator]
        self.WORKERS[len(self.WORKERS)] = worker
        return int(worker.max_requests)


@pytest.fixture
def arbiter(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Arbiter:
    """As it is when the service starts."""
    settings = {"WORKER_MAX_REQUESTS": REQUESTS, "WEB_CONCURRENCY": WORKERS, "STATE_DIR": tmp_path}
    for name, value in settings.items():
        monkeypatch.setenv(name, str(value))
    monkeypatch.setattr(gc, "freeze", lambda: None)
    return Arbiter(runpy.run_path(str(ROOT / "gunicorn.conf.py")))


def test_first_workers_end_one_after_the_other(arbiter: Arbiter) -> None:
    """A quarter of a life apart, give or take the jitter; so after a reload, too."""
    for _ in ("start", "reload"):
        lives = sorted(arbiter.start_worker() for _ in range(WORKERS))
        assert all(after - before > REQUESTS / 8 for before, after in pairwise(lives))
        assert lives[-1] >= REQUESTS


def test_worker_that_replaces_one_has_a_whole_life(arbiter: Arbiter) -> None:
    for _ in range(WORKERS - 1):
        arbiter.start_worker()
    assert arbiter.start_worker() >= REQUESTS


def test_successor_has_a_whole_life(arbiter: Arbiter) -> None:
    """It starts beside all others: `RollingReplacement` wants one more meanwhile."""
    for _ in range(WORKERS):
        arbiter.start_worker()
    arbiter.num_workers += 1
    assert arbiter.start_worker() >= REQUESTS


def test_command_line_says_after_how_many_requests(
    arbiter: Arbiter, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`gunicorn --max-requests`, which precedes WORKER_MAX_REQUESTS; 0 means never."""
    arbiter.cfg.max_requests = 0
    assert {arbiter.start_worker() for _ in range(WORKERS)} == {sys.maxsize}
    monkeypatch.setenv("WORKER_MAX_REQUESTS", "0")
    other = Arbiter(runpy.run_path(str(ROOT / "gunicorn.conf.py")))
    other.cfg.max_requests = REQUESTS
    assert [other.start_worker() for _ in range(WORKERS)] == [250, 500, 750, 1000]


@pytest.mark.parametrize(("requests", "others", "workers"), [(3, 0, 8), (1, 5, 2), (2, 0, 0)])
def test_each_worker_answers_at_least_once(requests: int, others: int, workers: int) -> None:
    assert 1 <= stagger(requests, others, workers) <= requests
