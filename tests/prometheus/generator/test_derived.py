"""What follows from the alerts outside of rules/."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from prometheus.generator import derived
from prometheus.generator.generate import ROOT, alerts
from prometheus.generator.rule import Alert

DOWN = Alert("Down", "page", "a", "0s", "", "", equal=("job",), scenarios=("outage",))
SLOW = Alert("Slow", "page", "b", "0s", "", "", ("Down",), may_follow=("outage", "load"))
LATE = Alert("Late", "ticket", "c", "0s", "", "", ("Down", "Slow"), scenarios=("load",))


def test_causes_become_rules_of_inhibition() -> None:
    """Those of one cause in one rule; `equal` where the cause says so."""
    assert derived.inhibit_rules([DOWN, SLOW, LATE]).splitlines() == [
        '  - source_matchers: [alertname="Down"]',
        "    target_matchers:",
        '      - alertname=~"Late|Slow"',
        "    equal: [job]",
        '  - source_matchers: [alertname="Slow"]',
        "    target_matchers:",
        '      - alertname=~"Late"',
    ]


def test_faults_say_what_must_and_may_fire() -> None:
    """What must fire is not among what may."""
    both = replace(DOWN, may_follow=("outage",))
    assert derived.expect([both, SLOW, LATE], "outage") == derived.Expected(("Down",), ("Slow",))
    assert derived.expect([both, SLOW, LATE], "load") == derived.Expected(("Late",), ("Slow",))
    assert derived.faults([both, SLOW, LATE]) == ["load", "outage"]


def test_cause_that_is_no_alert_is_refused() -> None:
    """A renamed alert would leave behind an inhibition that never holds."""
    with pytest.raises(ValueError, match="Slow says that it is caused by Down: no such alert"):
        derived.render([SLOW], ROOT)


def test_changed_cause_changes_the_files(tmp_path: Path) -> None:
    """Each of the three files has what the alerts say."""
    for path in (derived.INHIBITION, derived.SIMULATOR, derived.PAGE):
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text((ROOT / path).read_text())
    rendered = derived.render([DOWN, SLOW, LATE], tmp_path)
    assert 'alertname=~"Late|Slow"' in rendered[tmp_path / derived.INHIBITION]
    assert '"load": ("Late",),' in rendered[tmp_path / derived.SIMULATOR]
    row = "| [Slow](../docs/runbooks/Slow.md) | page | Down | - | outage, load |"
    assert row in rendered[tmp_path / derived.PAGE]
    for path, text in derived.render(alerts(), ROOT).items():
        assert path.read_text() == text, f"{path} is not current: run 'make generate'"
