"""The live line where the output is no terminal."""

from __future__ import annotations

import io

import pytest

from stack.errors import StackError
from stack.monitoring import live_line
from stack.monitoring.key_metrics import KeyMetrics


class Constant:
    """A source that always gives the same."""

    def read(self) -> KeyMetrics:
        return KeyMetrics(total=5, rate=0.5)


def test_the_live_line_is_one_line_a_time_when_piped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live_line, "PIPED_SECONDS", 0.02)
    out = io.StringIO()
    looks = iter([None, None, None, None, StackError("over")])

    def check() -> None:
        if (error := next(looks, StackError("over"))) is not None:
            raise error

    with pytest.raises(StackError, match="over"):
        live_line.show_live_line(Constant(), check, out)
    lines = out.getvalue().splitlines()
    assert len(lines) >= 2 and all("0.50 predictions/s" in line for line in lines)
    assert "\r" not in out.getvalue()
