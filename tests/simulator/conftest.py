"""The faulty target as a fixture, and its model."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from simulator.contract.model_info import ModelInfo
from simulator.target.model_info_parser import parse_model_info
from tests.simulator.faulty_target import ScoringServer, describe_model, serve


@pytest.fixture
def info() -> ModelInfo:
    """The five features of the default model."""
    return parse_model_info(describe_model())


@pytest.fixture
def read_root() -> Path:
    """The project's folder."""
    return Path(__file__).parents[2]


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
