"""Which versions are judged by their labels, while labels come late and versions follow another."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.lab.promtool import Case, Question, run
from tests.prometheus.rules.checks import expect_nothing, expect_value
from tests.prometheus.rules.series import NEXT_SLOT, SLOT, ages, model, of_next_version

pytestmark = pytest.mark.stack

JUDGED = "job:model_version:judged1d"
HOURS = 24 * 40


def last(series: dict[str, str], hours: int = HOURS, after: int = 0) -> dict[str, str]:
    """The series, an hour a step, from that step on and for so many."""
    begin = f"_x{after} " if after else ""
    return {name: f"{begin}{values.split('x')[0]}x{hours}" for name, values in series.items()}


def labels(*bands: tuple[str, float]) -> dict[str, str]:
    """Labels of frauds an hour, by the age at which they come."""
    found: dict[str, str] = {}
    for band, each in bands:
        found |= ages(each, band, class_name="fraud", truth="fraud")
    return found


PROMPT, SLOW = labels(("1h", 100)), labels(("1h", 60), ("30d", 40))
OLD = last(model(), 24 * 3) | last(SLOW, 24 * 3)
CASES = {
    "prompt": (
        last(model()) | last(PROMPT),
        (expect_nothing(JUDGED, "3h"), expect_value(JUDGED, 1, "5h")),
    ),
    "slow": (
        last(model()) | last(SLOW),
        (expect_nothing(JUDGED, "30d"), expect_value(JUDGED, 1, "32d")),
    ),
    "few are slow": (
        last(model()) | last(labels(("1h", 95), ("30d", 5))),
        (expect_value(JUDGED, 1, "5h"),),
    ),
    "slow, known from the version before": (
        OLD | of_next_version(last(model(), after=24 * 3 + 1) | last(PROMPT, after=24 * 3 + 1)),
        (expect_nothing(f'{JUDGED}{{version_slot="{NEXT_SLOT}"}}', "5d"),),
    ),
    "replaced": (
        last(model(), 24 * 3)
        | last(PROMPT)
        | of_next_version(last(model(), after=24 * 3 + 1) | last(PROMPT, after=24 * 3 + 1)),
        (
            expect_value(f'{JUDGED}{{version_slot="{SLOT}"}}', 1, "72h"),
            expect_nothing(f'{JUDGED}{{version_slot="{SLOT}"}}', "74h"),
            expect_value(f'{JUDGED}{{version_slot="{NEXT_SLOT}"}}', 1, "79h"),
        ),
    ),
    "silent": (
        last(model(), 24) | last(PROMPT, 24),
        (expect_value(JUDGED, 1, "30h"),),
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_version_is_judged_when_its_usual_labels_have_come(
    tools: Path, tmp_path: Path, name: str
) -> None:
    """After four hours where they come within one; after 31 days where four in ten take up to 30;
    by what other versions' labels take; and while it is served, or the last before silence."""
    series, questions = CASES[name]
    assert all(isinstance(each, Question) for each in questions)
    wrong = run(tools, tmp_path, [Case(name, series, questions, "1h")], JUDGED, "1h")
    assert not wrong, wrong
