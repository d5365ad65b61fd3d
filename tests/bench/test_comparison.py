"""The table of the comparison: medians, their spread, and goals that can be missed."""

from __future__ import annotations

import pytest

from bench.__main__ import COMMAND, GOALS, PAGE
from bench.comparison import Goal, Turn, format_ratios, format_table
from bench.contenders import CONTENDERS, OWN
from bench.load import Load
from telemetry.generated import replace_generated


def make_turn(rate: float) -> Turn:
    load = Load(answered=100, failed=0, rate=rate, p50_ms=1, p99_ms=2, p999_ms=3)
    return Turn(0.5, load, load, cpu_micros=200, pss_mib=90)


def test_row_has_the_median_and_the_extremes() -> None:
    table = format_table({"a": [make_turn(rate) for rate in (3000, 1000, 2000)]})
    assert "| a | 2,000 (1,000…3,000) | 1.0 |" in table


@pytest.mark.parametrize(
    ("at_least", "verdict"), [(True, "≥ 2: reached"), (False, "≤ 2: **missed**")]
)
def test_ratio_is_taken_within_a_round(at_least: bool, verdict: str) -> None:
    rounds = {"own": [make_turn(300), make_turn(30)], "b": [make_turn(100), make_turn(10)]}
    goal = Goal(lambda turn: turn.saturated.rate, 2, at_least)
    table = format_ratios(rounds, "own", {("requests/s", "b"): goal})
    assert f"| requests/s | b | 3.00 (3.00…3.00) | {verdict} |" in table


def test_goals_are_about_contenders_and_the_page_takes_the_table() -> None:
    assert {name for _, name in GOALS} | {OWN} <= set(CONTENDERS)
    page = PAGE.read_text(encoding="utf-8")
    assert "new table" in replace_generated(page, COMMAND, "new table")
