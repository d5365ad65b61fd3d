"""Types of the fixtures that run the simulator, and the variables that such a run must not see."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol

ROOT = Path(__file__).parents[2]
VARIABLES = ("SIMULATOR_TARGET", "ACCESS_TOKEN", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY")

Summary = dict[str, Any]


class Simulate(Protocol):
    """Runs the simulator in this process: its exit code and its JSON summary."""

    def __call__(self, *arguments: object) -> tuple[int, Summary]: ...


class StartProgram(Protocol):
    """Starts the simulator as a program of its own; `before` goes in front of the command."""

    def __call__(
        self, *arguments: object, url: str = "", before: Sequence[str] = ()
    ) -> subprocess.Popen[str]: ...


def read_line(process: subprocess.Popen[str]) -> str:
    """The next line of its standard error."""
    assert process.stderr is not None
    return process.stderr.readline()
