"""LabelsStalled for a desk that labels from Monday to Friday, over three weeks of hours."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.lab.promtool import Case, Question, run
from tests.prometheus.rules.series import handler

pytestmark = pytest.mark.stack

DAY = 24
WEEK = 7 * DAY
ONE = {"class_name": "fraud", "truth": "fraud", "role": "champion", "user_type": "basic"}


def work_until(ends: int) -> dict[str, str]:
    """Ten labels in each hour from 9 to 17 on five days of seven; the samples go on."""
    total, values = 0, []
    for hour in range(3 * WEEK):
        values.append(str(total))
        works = hour // DAY % 7 < 5 and 9 <= hour % DAY < 17
        total += 10 * (works and hour < ends)
    return handler("outcomes_total", " ".join(values), **ONE)


def ask(hour: int, *, firing: bool) -> Question:
    """Whether the alert fires so many hours after a Monday's midnight."""
    expression = 'count(ALERTS{alertname="LabelsStalled", alertstate="firing"})'
    return Question(expression, f"{hour}h", (("{}", 1),) if firing else ())


STOPS = 2 * WEEK + 2 * DAY
CASES = [
    Case(
        "second weekend",
        work_until(3 * WEEK),
        tuple(ask(WEEK + 5 * DAY + hour, firing=False) for hour in range(0, 62, 3)),
        "1h",
    ),
    Case(
        "labels end on a Tuesday evening",
        work_until(STOPS),
        (
            ask(STOPS + 10, firing=False),
            *(ask(STOPS + hour, firing=True) for hour in (20, 30, 60)),
        ),
        "1h",
    ),
    Case(
        "first weekend: a seventh of what came is expected",
        work_until(3 * WEEK),
        (ask(5 * DAY + 12, firing=False), ask(5 * DAY + 30, firing=True)),
        "1h",
    ),
    Case(
        "last week's day had no labels either, the one before had",
        work_until(WEEK),
        (ask(2 * WEEK + 3 * DAY, firing=True),),
        "1h",
    ),
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_labels_are_expected_on_the_days_that_had_some(
    tools: Path, tmp_path: Path, case: Case
) -> None:
    """A rule of the week's pace fires on each weekend; the same day's does not, but on weekdays."""
    wrong = run(tools, tmp_path, [case], "LabelsStalled", every="30m")
    assert not wrong, wrong
