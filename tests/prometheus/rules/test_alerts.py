"""Each alert: fires when it shall, stays silent when all is well, and while no series exist yet."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.lab.promtool import Case, Question, run
from tests.lab.rules import read_alerts, severity_of
from tests.prometheus.rules.alert_cases import COLLECTOR_AWAY, PAIRS
from tests.prometheus.rules.alert_pair import Pair

SENT = [(name, severity_of(rule)) for name, rules in read_alerts().items() for rule in rules]


def question(pair: Pair, severity: str, fires: bool) -> Question:
    """How many of the alert's instances fire."""
    chosen = f'alertname="{pair.alert}", alertstate="firing", severity="{severity}"'
    if fires:
        expr = f"count(ALERTS{{{chosen}, {pair.labels}}})"
        return Question(expr, pair.at, (("{}", 1),))
    return Question(f"count(ALERTS{{{chosen}}})", pair.at)


@pytest.mark.stack
@pytest.mark.parametrize("pair", (*PAIRS, COLLECTOR_AWAY), ids=Pair.id)
def test_alert(tools: Path, tmp_path: Path, pair: Pair) -> None:
    """Fires with one set of series, and neither with the other nor without any."""
    others = tuple(question(pair, each, False) for each in pair.not_severity)
    quiet = question(pair, pair.severity, False)
    cases = [
        Case("fires", pair.fires, (question(pair, pair.severity, True), *others), pair.interval),
        Case("silent", pair.silent, (quiet,), pair.interval),
        Case("no series yet", {}, (quiet,), pair.interval),
    ]
    wrong = run(tools, tmp_path, cases, pair.alert, pair.every)
    assert not wrong, wrong


@pytest.mark.parametrize(("alert", "severity"), SENT)
def test_every_alert_has_its_cases(alert: str, severity: str) -> None:
    """By name and severity."""
    tested = {(pair.alert, pair.severity) for pair in PAIRS}
    assert (alert, severity) in tested, (
        f"{alert} ({severity}) has no series that make it fire and none that leave it silent:"
        " add a Pair to tests/prometheus/rules/alert_cases.py"
    )


@pytest.mark.parametrize("pair", PAIRS, ids=Pair.id)
def test_every_case_has_its_alert(pair: Pair) -> None:
    """A case of an alert that is gone, or that is sent otherwise, tests nothing."""
    assert (pair.alert, pair.severity) in SENT
