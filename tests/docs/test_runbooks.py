"""Each alert has its runbook: four headings that all say something, about things that exist."""

from __future__ import annotations

import re

import pytest
import yaml

from prometheus.generator.generate import FOLDER
from tests.lab.paths import ROOT

RUNBOOKS = ROOT / "docs/runbooks"
HEADINGS = ["Meaning", "Impact", "Diagnosis", "Mitigation"]
RULES = [
    rule
    for path in sorted(FOLDER.glob("*.yml"))
    for group in yaml.safe_load(path.read_text())["groups"]
    for rule in group["rules"]
]
ALERTS = {rule["alert"]: rule for rule in RULES if "alert" in rule}


def test_one_runbook_for_each_alert() -> None:
    """None missing, none left over."""
    assert {path.stem for path in RUNBOOKS.glob("*.md")} == set(ALERTS)


@pytest.mark.parametrize("alert", sorted(ALERTS))
def test_runbook(alert: str) -> None:
    """Titled as the alert; Diagnosis and Mitigation are lists of things to do."""
    text = (RUNBOOKS / f"{alert}.md").read_text()
    assert text.startswith(f"# {alert}\n")
    parts = dict(re.findall(r"^## (\w+)\n(.*?)(?=^## |\Z)", text, re.MULTILINE | re.DOTALL))
    assert list(parts) == HEADINGS
    assert all(len(part.split()) >= 6 for part in parts.values())
    assert all(parts[each].strip().startswith("- ") for each in HEADINGS[2:])


@pytest.mark.parametrize("alert", sorted(ALERTS))
def test_annotations(alert: str) -> None:
    """What, how much, and where to read on."""
    annotations = ALERTS[alert]["annotations"]
    assert set(annotations) == {"summary", "value", "runbook_url"}
    assert annotations["runbook_url"] == f"docs/runbooks/{alert}.md"
    severities = ("none",) if alert == "Watchdog" else ("page", "ticket")
    assert ALERTS[alert]["labels"]["severity"] in severities


def test_recorded_series_named_in_runbooks_exist() -> None:
    """A query that is copied from a runbook must find something."""
    recorded = {rule["record"] for rule in RULES if "record" in rule}
    for path in RUNBOOKS.glob("*.md"):
        named = set(re.findall(r"[a-z0-9_]+:[a-z0-9_]+:[a-z0-9_]+", path.read_text()))
        assert named <= recorded, path.name
