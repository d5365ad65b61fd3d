"""Each alert has its runbook: four headings that all say something, about things that exist."""

from __future__ import annotations

import re

import pytest
import yaml

from tests.lab.paths import ROOT
from tests.lab.rules import read_alerts, recorded_names, severity_of

RUNBOOKS = ROOT / "docs/runbooks"
MADE = ("logs/", "models/")  # by the running programs
HEADINGS = ["Meaning", "Impact", "Diagnosis", "Mitigation"]
ALERTS = read_alerts()


def test_one_runbook_for_each_alert() -> None:
    """None missing, none left over."""
    assert {path.stem for path in RUNBOOKS.glob("*.md")} == set(ALERTS)


@pytest.mark.parametrize("alert", sorted(ALERTS))
def test_runbook(alert: str) -> None:
    """Titled as the alert; Diagnosis and Mitigation are lists of things to do."""
    path = RUNBOOKS / f"{alert}.md"
    assert path.exists(), (
        f"{alert} has no runbook: write docs/runbooks/{alert}.md with the headings"
        f" {', '.join(HEADINGS)}"
    )
    text = path.read_text()
    assert text.startswith(f"# {alert}\n")
    parts = dict(re.findall(r"^## (\w+)\n(.*?)(?=^## |\Z)", text, re.MULTILINE | re.DOTALL))
    assert list(parts) == HEADINGS
    assert all(len(part.split()) >= 6 for part in parts.values())
    assert all(parts[each].strip().startswith("- ") for each in HEADINGS[2:])


@pytest.mark.parametrize("alert", sorted(ALERTS))
def test_annotations(alert: str) -> None:
    """What, how much, and where to read on."""
    severities = ("none",) if alert == "Watchdog" else ("page", "ticket")
    for rule in ALERTS[alert]:
        annotations = rule["annotations"]
        assert {"summary", "value"} < set(annotations)
        assert annotations["runbook_url"] == "{{ $externalURL }}/user/runbooks/" + f"{alert}.md"
        assert severity_of(rule) in severities


def test_recorded_series_named_in_runbooks_exist() -> None:
    """A query that is copied from a runbook must find something."""
    recorded = recorded_names()
    for path in RUNBOOKS.glob("*.md"):
        named = set(re.findall(r"[a-z0-9_]+:[a-z0-9_]+:[a-z0-9_]+", path.read_text()))
        assert named <= recorded, path.name


def test_paths_named_in_runbooks_exist() -> None:
    """A file that was moved is not looked for where it was."""
    rooms = "|".join(path.name for path in ROOT.iterdir() if path.is_dir())
    for path in RUNBOOKS.glob("*.md"):
        named = re.findall(rf"(?<![\w/.$])(?:{rooms})/[\w./-]+\w", path.read_text())
        gone = [each for each in named if not (ROOT / each).exists()]
        assert [each for each in gone if not each.startswith(MADE)] == [], path.name


def test_limits_named_in_runbooks_exist() -> None:
    """`section.limit` is one of thresholds.yml."""
    limits = yaml.safe_load((ROOT / "prometheus/thresholds.yml").read_text())
    sections = "|".join(limits)
    for path in RUNBOOKS.glob("*.md"):
        for section, limit in re.findall(rf"`({sections})\.(\w+)`", path.read_text()):
            assert limit in limits[section], f"{path.name} names {section}.{limit}"
