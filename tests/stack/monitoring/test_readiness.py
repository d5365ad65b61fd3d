"""Ready means that predictions were seen to grow."""

from __future__ import annotations

import io
from collections.abc import Iterator

import pytest

from stack.errors import StackError
from stack.monitoring import readiness
from stack.monitoring.key_metrics import KeyMetrics
from stack.progress import ProgressDisplay


class Counting:
    """A source that gives the totals one after the other, then the last one for ever."""

    def __init__(self, *totals: float | None) -> None:
        self._totals = list(totals)
        self.asked = 0

    def read(self) -> KeyMetrics:
        self.asked += 1
        return KeyMetrics(total=self._totals[min(self.asked, len(self._totals)) - 1], rate=0.5)


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(readiness, "POLL_SECONDS", 0.01)
    monkeypatch.setattr(readiness, "READY_SECONDS", 0.3)
    yield


def wait(source: Counting, probes: tuple[readiness.Probe, ...] = ()) -> str:
    out = io.StringIO()
    with ProgressDisplay(out) as display:
        readiness.wait_until_ready(source, probes, lambda: None, display)
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


def test_a_standstill_is_reported_after_the_deadline() -> None:
    with pytest.raises(StackError, match="waiting for more than 7 predictions"):
        wait(Counting(7))


def test_a_part_that_does_not_answer_is_named() -> None:
    probe = readiness.Probe("Collector", "http://127.0.0.1:1")
    with pytest.raises(StackError, match="waiting for Collector"):
        wait(Counting(1, 2), (probe,))
