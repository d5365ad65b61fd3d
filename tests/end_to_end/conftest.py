"""The real service with a real model, alone or before the real Collector and Prometheus."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.lab.programs import ROOT, Collector, Program, Prometheus
from tests.lab.service import Handler
from tests.lab.tools import tools_folder


@pytest.fixture(scope="session")
def model_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the default model, trained for this run."""
    folder = tmp_path_factory.mktemp("models")
    subprocess.run(
        [sys.executable, "-m", "model", "train", "--models", str(folder), "--rows", "20000"],
        cwd=ROOT,
        check=True,
        capture_output=True,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )
    return folder


@pytest.fixture(scope="session")
def tools() -> Path:
    """The folder of the built programs."""
    return tools_folder()


@pytest.fixture
def started() -> Iterator[list[Program]]:
    """Programs put in here are ended, the first one last."""
    programs: list[Program] = []
    yield programs
    for program in reversed(programs):
        program.terminate()


@pytest.fixture
def handler(model_dir: Path, tmp_path: Path, started: list[Program]) -> Callable[..., Handler]:
    """handler(**settings): a running service."""

    def make(**settings: str) -> Handler:
        made = Handler(tmp_path / "handler", model_dir, **settings)
        started.append(made)
        return made.start()

    return make


@pytest.fixture
def prometheus(tools: Path, tmp_path: Path, started: list[Program]) -> Prometheus:
    made = Prometheus(tools, tmp_path / "prometheus")
    started.append(made)
    return made.start()


@pytest.fixture
def collector(
    tools: Path, tmp_path: Path, started: list[Program], prometheus: Prometheus
) -> Collector:
    """The Collector before the local Prometheus, running."""
    made = Collector(tools, tmp_path / "collector", PROMETHEUS_URL=prometheus.url)
    started.append(made)
    return made.start()


@pytest.fixture
def black_hole() -> Iterator[str]:
    """The address of a socket that takes connections and never answers."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(100)
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
