"""What is told while it runs, on a terminal and in a pipe."""

from __future__ import annotations

import io

import pytest

from simulator.report.progress import Progress, progress_line
from simulator.report.request_stats import TOO_MANY, Tally
from simulator.target.predict import Answer, NoAnswer
from simulator.traffic.request_plan import VALID, PlannedRequest


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        return True


@pytest.fixture
def tally():
    """Two predictions, a refusal, a timeout, one under way, one left out."""
    tally = Tally()
    request = PlannedRequest(0, 0.0, b"{}", 0, VALID, 200, None)
    for outcome in (
        Answer(200, "fraud", "basic", "high"),
        Answer(200, "legitimate", "basic", "low"),
        Answer(400, error_type="wrong_type"),
        NoAnswer("timeout"),
    ):
        tally.start(request, 0)
        tally.finish(request, outcome, 0.02)
    tally.start(request, 0)
    tally.leave_out(TOO_MANY)
    return tally


def test_progress_line_tells_what_matters(tally):
    """Time, pace, fraud share, latency, and each trouble that there is."""
    line = progress_line(tally, 65)

    assert line.startswith("01:05  sent 5 (0.1/s)  fraud 50.0 %  p95 20 ms")
    assert line.endswith("refused 1  unanswered 1  not sent 1  under way 1")
    assert "5xx" not in line


def test_progress_in_a_pipe_is_plain_lines():
    """No control characters in a log, and nothing twice."""
    out = io.StringIO()
    progress = Progress(out, quiet=False)

    for line in ("a", "a", "b"):
        progress.say(line)
    progress.close()

    assert out.getvalue() == "a\nb\n"


def test_progress_on_a_terminal_is_one_line(monkeypatch):
    """Each line takes the place of the one before, and none wraps."""
    monkeypatch.setenv("COLUMNS", "11")
    out = Terminal()
    progress = Progress(out, quiet=False)

    progress.say("first")
    progress.say("0123456789abcdef")
    progress.close()

    assert out.getvalue() == "\r\x1b[Kfirst\r\x1b[K0123456789\n"


def test_progress_quiet_says_nothing():
    """Only the summary."""
    out = Terminal()
    progress = Progress(out, quiet=True)

    progress.say("a")
    progress.keep("b")

    assert out.getvalue() == ""
