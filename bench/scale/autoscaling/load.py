"""The simulator's load, and what it was answered."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from tests.lab.environment import clean_environment
from tests.lab.paths import ROOT

_LONGEST = 7200  # seconds; it is ended before
_SUMMARY_SECONDS = 60


@dataclass(frozen=True)
class Answers:
    """Of valid single predictions; `interrupted` were under way when the load was ended."""

    sent: int
    predicted: int
    interrupted: int

    @property
    def failed(self) -> int:
        """No answer, or another than 200."""
        return self.sent - self.predicted - self.interrupted


def read_answers(summary: str) -> Answers:
    """From the simulator's summary; ValueError for a text that is none."""
    try:
        content = json.loads(summary)
        return Answers(
            sent=int(content["sent"]),
            predicted=int(content["predictions"]["total"]),
            interrupted=int(content["unanswered"].get("interrupted", 0)),
        )
    except (ValueError, KeyError, TypeError, AttributeError):
        raise ValueError(f"no summary of the simulator: {summary[:200]!r}") from None


class Load:
    """Single predictions as a Poisson process, from `with` to `end`."""

    def __init__(self, url: str, rate: float) -> None:
        words = ["--url", url, "--rate", f"{rate:g}", "--duration", str(_LONGEST), "--faulty", "0"]
        self._process = subprocess.Popen(
            [sys.executable, "-m", "simulator", *words, "--json", "--quiet", "--max-failed", "1"],
            cwd=ROOT,
            env=clean_environment(),
            stdout=subprocess.PIPE,
            text=True,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._process.kill()
        self._process.wait()

    def check(self) -> None:
        """AssertionError where it has ended by itself."""
        assert self._process.poll() is None, f"the simulator ended with {self._process.returncode}"

    def end(self) -> Answers:
        """Ends it as Ctrl-C does."""
        self._process.send_signal(signal.SIGINT)
        return read_answers(self._process.communicate(timeout=_SUMMARY_SECONDS)[0])
