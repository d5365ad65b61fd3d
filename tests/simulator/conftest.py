"""The faulty target as a fixture, its model, and runs of the simulator against it."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest

from simulator.contract.model_info import ModelInfo
from simulator.main import main
from simulator.target.model_info_parser import parse_model_info
from tests.simulator.faulty_target import ScoringServer, describe_model, serve
from tests.simulator.runs import ROOT, VARIABLES, Simulate, StartProgram, Summary


@pytest.fixture(autouse=True)
def _clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever runs the tests may have a target, a token or a proxy of their own."""
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)


@pytest.fixture
def info() -> ModelInfo:
    """The five features of the default model."""
    return parse_model_info(describe_model())


@pytest.fixture
def read_root() -> Path:
    """The project's folder."""
    return ROOT


@pytest.fixture
def target() -> Iterator[ScoringServer]:
    """A running service on a free port of the loopback."""
    with serve(ScoringServer()) as server:
        yield server


@pytest.fixture
def wait_until() -> Callable[[Callable[[], bool]], None]:
    """Polls a condition with a deadline of 20 s."""

    def wait(condition: Callable[[], bool]) -> None:
        deadline = time.monotonic() + 20
        while not condition():
            assert time.monotonic() < deadline, "waited 20 s in vain"
            time.sleep(0.02)

    return wait


@pytest.fixture
def simulate(target: ScoringServer, capsys: pytest.CaptureFixture[str]) -> Simulate:
    """Runs the simulator against the faulty target."""

    def run(*arguments: object) -> tuple[int, Summary]:
        code = main(["--url", target.url, "--json", "--quiet", *map(str, arguments)])
        return code, json.loads(capsys.readouterr().out)

    return run


@pytest.fixture
def start(target: ScoringServer) -> Iterator[StartProgram]:
    """Starts the simulator as a program of its own, against the faulty target by default."""
    running: list[subprocess.Popen[str]] = []

    def run(*arguments: object, url: str = "", before: Sequence[str] = ()) -> subprocess.Popen[str]:
        command = [*before, sys.executable, "-m", "simulator", "--url", url or target.url]
        process = subprocess.Popen(
            [*command, *map(str, arguments)],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        running.append(process)
        return process

    yield run
    for process in running:
        process.kill()
        process.communicate()
