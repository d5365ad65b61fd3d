"""docs/champion_challenger.md: settings with their defaults, and the exit codes of a promotion."""

from __future__ import annotations

from model.promotion.if_better import EXIT_CODES
from service.settings import TABLE
from telemetry.metrics import METRICS
from tests.docs.pages import DOCS, rows, section

PAGE = DOCS / "champion_challenger.md"


def test_settings_are_listed_with_their_defaults() -> None:
    listed = {row[0]: row[1] for row in rows(section(PAGE, "Shadow and share"))}
    settings = [one for one in TABLE if one.name.startswith("CHALLENGER_")]
    assert listed == {f"`{one.name}`": f"`{one.default}`" for one in settings}


def test_exit_codes_are_those_of_the_command() -> None:
    listed = {int(row[0]): row[1] for row in rows(section(PAGE, "Promote, if it is better"))}
    assert set(listed) == set(EXIT_CODES.values())
    assert listed[EXIT_CODES["promote"]].startswith("it is better, and champion now")
    assert listed[EXIT_CODES["keep"]].startswith("it is worse: keep")
    assert listed[EXIT_CODES["not enough labels"]].startswith("not enough labels yet")


def test_every_metric_of_the_comparison_is_explained() -> None:
    text = section(PAGE, "What is counted")
    named = [
        one.exposed for one in METRICS if "challenger" in {*one.labels, one.name.split(".")[0]}
    ]
    assert named and [name for name in named if f"`{name}`" not in text] == []
