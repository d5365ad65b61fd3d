"""Ready means that predictions were seen to grow."""

from __future__ import annotations

import io
from collections.abc import Iterator

import pytest

from stack import follow
from stack.errors import StackError
from stack.figures import Figures
from stack.progress import Board


class Counting:
    """A source that gives the totals one after the other, then the last one for ever."""

    def __init__(self, *totals: float | None) -> None:
        self._totals = list(totals)
        self.asked = 0

    def read(self) -> Figures:
        self.asked += 1
        return Figures(total=self._totals[min(self.asked, len(self._totals)) - 1], rate=0.5)


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(follow, "POLL_SECONDS", 0.01)
    monkeypatch.setattr(follow, "READY_SECONDS", 0.3)
    yield


def wait(source: Counting, probes: tuple[follow.Probe, ...] = ()) -> str:
    out = io.StringIO()
    with Board(out) as board:
        follow.wait_until_growing(source, probes, lambda: None, board)
    return out.getvalue()


def test_growth_is_ready() -> None:
    source = Counting(None, None, 0, 0, 3)
    assert "ready, 3 predictions and growing" in wait(source)
    assert source.asked == 5


def test_a_fall_is_no_growth() -> None:
    """What an earlier run left in Prometheus is more than what this one has counted."""
    source = Counting(500, 2, 2, 4)
    wait(source)
    assert source.asked == 4


def test_a_standstill_is_told_after_the_deadline() -> None:
    with pytest.raises(StackError, match="waiting for more than 7 predictions"):
        wait(Counting(7))


def test_a_part_that_does_not_answer_is_named() -> None:
    probe = follow.Probe("Collector", "http://127.0.0.1:1")
    with pytest.raises(StackError, match="waiting for Collector"):
        wait(Counting(1, 2), (probe,))


def test_the_live_line_is_one_line_a_time_when_piped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(follow, "PIPED_SECONDS", 0.02)
    out = io.StringIO()
    looks = iter([None, None, None, None, StackError("over")])

    def check() -> None:
        if (error := next(looks, StackError("over"))) is not None:
            raise error

    with pytest.raises(StackError, match="over"):
        follow.show_live(Counting(5), check, out)
    lines = out.getvalue().splitlines()
    assert len(lines) >= 2 and all("0.50 predictions/s" in line for line in lines)
    assert "\r" not in out.getvalue()
