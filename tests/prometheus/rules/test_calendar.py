"""A feature that follows the calendar is compared with the same hours of the week before, too."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.lab.promtool import Case, Question, run
from tests.prometheus.rules.series import handler

pytestmark = pytest.mark.stack

WEEK = 7 * 24 * 2  # steps of half an hour
CHANGED = WEEK - 4  # two hours before the week is over
END = f"{7 * 24 * 60 + 120}m"
FIRES = 'count by (window) (ALERTS{alertname="FeatureDrift", alertstate="firing", window="1h"})'
DISTANCE = "feature:feature_values:week_distance1h"


def service(night: str, day: str, of_calendar: bool, version: str = "1x4000") -> dict[str, str]:
    """400 values each half hour, by a switch that is set in a quarter of the training rows."""
    found = handler("model_version", version, role="champion", version="1-ab12cd34")
    found |= handler("baseline_rows", "10000x4000")
    for bin_name, share, values in (("true", 0.25, night), ("false", 0.75, day)):
        labels = {"feature": "night", "bin": bin_name}
        found |= handler("feature_baseline_share", f"{share}x4000", **labels)
        found |= handler("feature_values_total", values, **labels)
    if of_calendar:
        found |= handler("feature_calendar", "1x4000", feature="night")
    return found


ALWAYS_NIGHT = (f"0+400x{WEEK + 100}", f"0x{WEEK + 100}")
BASELINE_SINCE = (f"0+400x{CHANGED} {400 * CHANGED + 100}+100x100", f"0x{CHANGED} 300+300x100")
NIGHT_SINCE = (f"0x{CHANGED} 400+400x100", f"0+400x{CHANGED} {400 * CHANGED}x100")


def check(tools: Path, folder: Path, series: dict[str, str], *questions: Question) -> None:
    """What the rules say."""
    case = Case("calendar", series, questions, "30m")
    wrong = run(tools, folder, [case], "FeatureDrift", "30m")
    assert not wrong, wrong


def ask(expr: str, fires: bool) -> Question:
    """A week and two hours after the beginning."""
    return Question(expr, END, (('{window="1h"}', 1.0),) if fires else ())


@pytest.mark.parametrize(
    ("values", "of_calendar", "fires"),
    [
        (ALWAYS_NIGHT, True, False),
        (ALWAYS_NIGHT, False, True),
        (NIGHT_SINCE, True, True),
        (BASELINE_SINCE, True, False),
    ],
    ids=["as a week ago", "not of the calendar", "unlike both", "unlike last week alone"],
)
def test_last_week(
    tools: Path, tmp_path: Path, values: tuple[str, str], of_calendar: bool, fires: bool
) -> None:
    """It fires where the hour is unlike the baseline and unlike the hour of a week ago."""
    check(tools, tmp_path, service(*values, of_calendar), ask(FIRES, fires))


def test_it_is_not_judged_without_a_week_before(tools: Path, tmp_path: Path) -> None:
    """Counts that begin a day ago."""
    late = f"_x{WEEK - 48} 0+400x400"
    quiet = f"_x{WEEK - 48} 0x400"
    check(tools, tmp_path, service(late, quiet, True), ask(FIRES, False))


def test_another_version_a_week_ago_is_no_reference(tools: Path, tmp_path: Path) -> None:
    """Its bins are others."""
    series = service(*NIGHT_SINCE, True, f"_x{WEEK - 48} 1x400")
    series |= handler("model_version", f"1x{WEEK - 50}", role="champion", version="0-ffffffff")
    check(tools, tmp_path, series, ask(FIRES, False), Question(DISTANCE, END))


def test_distance_is_that_of_the_two_way_table(tools: Path, tmp_path: Path) -> None:
    """All of one and then all of the other: 0.5 / 0.5 and 0.5 / 0.5 at equal counts, together 4."""
    expr = f"abs(sum({DISTANCE}) - 4) < bool 0.01"
    check(tools, tmp_path, service(*NIGHT_SINCE, True), Question(expr, END, (("{}", 1.0),)))
