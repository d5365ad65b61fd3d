"""What is shown while it runs, on a terminal and in a pipe."""

from __future__ import annotations

import io

import pytest

from simulator.contract.vocabulary import VALID
from simulator.report.progress import Progress, format_progress
from simulator.report.request_stats import TOO_MANY_IN_FLIGHT, RequestStats
from simulator.target.predict import NoResponse, Response
from simulator.traffic.planned_request import PlannedRequest


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        return True


@pytest.fixture
def stats() -> RequestStats:
    """Two predictions, a refusal, a timeout, one under way, one left out."""
    stats = RequestStats()
    request = PlannedRequest(0, 0.0, b"{}", 0, VALID, 200, None)
    for outcome in (
        Response(200, "fraud", "basic", "high"),
        Response(200, "legitimate", "basic", "low"),
        Response(400, error_type="wrong_type"),
        NoResponse("timeout"),
    ):
        stats.start(request, 0)
        stats.finish(request, outcome, 0.02)
    stats.start(request, 0)
    stats.skip(TOO_MANY_IN_FLIGHT)
    return stats


def test_progress_line_shows_what_matters(stats: RequestStats) -> None:
    """Time, pace, fraud share, latency, and each trouble that there is."""
    line = format_progress(stats, 65)

    assert line.startswith("01:05  sent 5 (0.1/s)  fraud 50.0 %  p95 20 ms")
    assert line.endswith("refused 1  unanswered 1  not sent 1  under way 1")
    assert "5xx" not in line


def test_progress_in_a_pipe_is_plain_lines() -> None:
    """No control characters in a log, and nothing twice."""
    out = io.StringIO()
    progress = Progress(out, quiet=False)

    for line in ("a", "a", "b"):
        progress.show(line)
    progress.end_line()

    assert out.getvalue() == "a\nb\n"


def test_progress_on_a_terminal_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each line takes the place of the one before, and none wraps."""
    monkeypatch.setenv("COLUMNS", "11")
    out = Terminal()
    progress = Progress(out, quiet=False)

    progress.show("first")
    progress.show("0123456789abcdef")
    progress.end_line()

    assert out.getvalue() == "\r\x1b[Kfirst\r\x1b[K0123456789\n"


def test_progress_quiet_says_nothing() -> None:
    """Only the summary."""
    out = Terminal()
    progress = Progress(out, quiet=True)

    progress.show("a")
    progress.show_lasting("b")

    assert out.getvalue() == ""
