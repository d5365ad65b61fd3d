"""A small shift that lasts adds up block by block; none does not."""

from __future__ import annotations

from math import log
from pathlib import Path

import pytest

from prometheus.generator.recordings.baseline import FEATURES
from prometheus.generator.recordings.lasting import MOST, evidence
from prometheus.generator.thresholds import read_thresholds
from tests.lab.promtool import Case, Question, run
from tests.prometheus.rules.checks import AMOUNT
from tests.prometheus.rules.series import EVEN, handler, model, values_in_bins

pytestmark = pytest.mark.stack

STEPS = 8 * 60
SHIFTED = EVEN | {"01": 32.0, "02": 27.0, "03": 22.0, "04": 19.0}  # a minute; PSI is 0.039
NAME = evidence(FEATURES)
FIRING = 'count by (window) (ALERTS{alertname="FeatureDrift", alertstate="firing"})'


def check(tools: Path, folder: Path, wanted: str, series: dict[str, str], *ask: Question) -> None:
    """What the rules say, evaluated each block."""
    wrong = run(tools, folder, [Case("lasting", series, ask)], wanted, "4m")
    assert not wrong, wrong


def values(per_minute: dict[str, float]) -> dict[str, str]:
    """So many values a minute by bin."""
    long = {name: text.replace("x400", f"x{STEPS}") for name, text in model().items()}
    counts = values_in_bins("feature_values_total", per_minute, **AMOUNT)
    return long | {name: text.replace("x400", f"x{STEPS}") for name, text in counts.items()}


def sleep(text: str) -> str:
    """An hour as it is, an hour of silence, and the last value again."""
    first, _, step = text.partition("x")[0].partition("+")
    last = float(first) + 60 * float(step or 0)
    return f"{text.partition('x')[0]}x60 _x60 {last!r}x10"


def test_nothing_adds_up_without_a_shift(tools: Path, tmp_path: Path) -> None:
    """Each block takes the tolerance away."""
    question = Question(f"max({NAME}) < bool 0", "6h", (("{}", 1.0),))
    check(tools, tmp_path, NAME, values(EVEN), question)


def test_a_shift_that_lasts_is_told_before_the_day_is_over(tools: Path, tmp_path: Path) -> None:
    """No window is over its limit: PSI is 0.039, and the day's is 0.05."""
    later = Question(FIRING, "7h", (('{window="hours"}', 1.0),))
    check(tools, tmp_path, "FeatureDrift", values(SHIFTED), Question(FIRING, "1h"), later)


def test_evidence_is_the_sum_of_the_bets(tools: Path, tmp_path: Path) -> None:
    """By hand: each block the same bet on the shares of the hour before, up to the bound."""
    shares = [value / 100 for value in SHIFTED.values() if value]
    tolerated = 3 / 8 * read_thresholds().lasting.tolerance
    block = 400 * sum(p * (log(0.5 + 0.5 * p / 0.25) - tolerated) for p in shares)
    expr = f"abs(sum({NAME}) - sum({NAME} offset 4m) - {block!r}) < bool 1e-9"
    found = Question(expr, "32m", (("{}", 1.0),))
    bound = Question(f"max({NAME})", "7h", (("{}", MOST),))
    check(tools, tmp_path, NAME, values(SHIFTED), found, bound)


def test_silence_keeps_what_was_added_up(tools: Path, tmp_path: Path) -> None:
    """An hour without traffic neither adds nor forgets."""
    series = {name: sleep(text) for name, text in values(SHIFTED).items()}
    expr = f"max(last_over_time({NAME}[2h])) > bool 10"
    check(tools, tmp_path, NAME, series, Question(expr, "128m", (("{}", 1.0),)))


def test_a_new_version_begins_anew(tools: Path, tmp_path: Path) -> None:
    """What was added up for the bins of one model says nothing of another's."""
    series = values(SHIFTED)
    series |= handler("model_version", "1x200", role="champion", version="1-ab12cd34")
    series |= handler("model_version", "_x201 1x200", role="champion", version="2-cd34ab12")
    check(tools, tmp_path, NAME, series, Question(f"max({NAME}) > bool 10", "272m", (("{}", 0.0),)))
