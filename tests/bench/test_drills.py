"""One short drill, so that `make drill` is known to work; and what it says of others."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from bench.detection.report import Conditions, text
from bench.detection.run import Result, run
from bench.detection.truth import DRILLS, Drill
from tests.lab.paths import ROOT

BY_NAME = {drill.name: drill for drill in DRILLS}


def alerts() -> set[str]:
    return {
        rule["alert"]
        for path in (ROOT / "prometheus" / "rules").glob("*.yml")
        for group in yaml.safe_load(path.read_text())["groups"]
        for rule in group["rules"]
        if "alert" in rule
    }


@pytest.mark.parametrize("drill", DRILLS, ids=lambda drill: drill.name)
def test_what_a_drill_expects_exists(drill: Drill) -> None:
    assert drill.may.union(*drill.must) <= alerts()


def test_a_missed_alert_and_a_false_one_are_told_apart() -> None:
    drill = BY_NAME["concept"]
    early = Result(drill, {"LiveQualityLow": -3.0, "BadData": 5.0}, {})
    assert early.missed == ["LiveQualityLow"]
    assert early.false_alarms == ["LiveQualityLow", "BadData"]
    good = Result(drill, {"LiveQualityLow": 9.0, "CalibrationBroken": 4.0}, {})
    assert good.passed


def test_the_page_tells_minutes_and_verdict() -> None:
    result = Result(BY_NAME["slow"], {"LatencyBudgetBurn": 7.4}, {})
    page = text([result], Conditions(60, "2026-01-01"))
    assert "1 scenarios: 1 as they should be, 0 expected alerts missed, 0 false alarms." in page
    assert "| LatencyBudgetBurn 7, - |" in page


@pytest.mark.stack
def test_bad_data_is_told_at_the_webhook_and_told_to_be_over(
    tools: Path, model_dir: Path, tmp_path: Path
) -> None:
    drill = replace(BY_NAME["bad-data"], before=20, lasts=40, afterwards=40)
    result = run(drill, tools, model_dir, 60, tmp_path)
    assert result.passed, (result.missed, result.false_alarms)
    assert result.resolved.keys() == {"BadData"}
    assert result.sent["labels"]["by_result"].keys() == {"counted"}
