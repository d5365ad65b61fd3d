"""Fixtures with real programs; each program started is killed at the end of its test."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.lab.programs import Collector, Program, Prometheus
from tests.lab.tools import tools_folder


@pytest.fixture(scope="session")
def tools() -> Path:
    """The folder of the built programs."""
    return tools_folder()


@pytest.fixture
def started() -> Iterator[list[Program]]:
    """Programs put in here are killed at the end."""
    programs: list[Program] = []
    yield programs
    for program in programs:
        program.kill()


@pytest.fixture
def prometheus(tools: Path, tmp_path: Path, started: list[Program]) -> Prometheus:
    """The local Prometheus, running."""
    made = Prometheus(tools, tmp_path / "prometheus")
    started.append(made)
    return made.start()


@pytest.fixture
def cloud(tools: Path, tmp_path: Path, started: list[Program]) -> Prometheus:
    """A Prometheus behind basic authentication in the place of Grafana Cloud, running."""
    made = Prometheus(tools, tmp_path / "cloud", cloud=True)
    started.append(made)
    return made.start()


@pytest.fixture
def collector(tools: Path, tmp_path: Path, started: list[Program]) -> Callable[..., Collector]:
    """Makes the Collector (not yet running) from settings."""

    def make(**settings: str) -> Collector:
        made = Collector(tools, tmp_path / "collector", **settings)
        started.append(made)
        return made

    return make
