"""One short drill, so that `make drill` is known to work; and what it says of others."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from bench.detection.drills import DRILLS, Drill
from bench.detection.report import Conditions, render
from bench.detection.run import Result, run
from prometheus.generator.derived import faults
from prometheus.generator.generate import alerts
from simulator.traffic.scenarios import NAMES
from tests.lab.rules import read_alerts

BY_NAME = {drill.name: drill for drill in DRILLS}


@pytest.mark.parametrize("drill", DRILLS, ids=lambda drill: drill.name)
def test_a_drill_without_an_expected_alert_would_always_pass(drill: Drill) -> None:
    assert bool(drill.must) == (drill.name != "steady"), (
        f"no alert says that it must fire in the drill {drill.name}:"
        " add it to `scenarios` of one in prometheus/generator/alerts"
    )


def test_what_a_drill_expects_exists() -> None:
    named = {name for drill in DRILLS for name in (*drill.must, *drill.may)}
    assert named <= read_alerts().keys()


@pytest.mark.parametrize("fault", faults(alerts()))
def test_every_fault_that_an_alert_names_is_played(fault: str) -> None:
    assert fault in BY_NAME, f"an alert names {fault}: no such drill in bench/detection/drills.py"


def test_every_scenario_of_the_simulator_is_played() -> None:
    played = {drill.scenario for drill in DRILLS} | BY_NAME.keys()
    assert set(NAMES) <= played


def test_a_missed_alert_and_a_false_one_are_distinguished() -> None:
    drill = BY_NAME["concept"]
    early = Result(drill, {"LiveQualityLow": -3.0, "BadData": 5.0}, {})
    assert early.missed == ["LiveQualityLow"]
    assert early.false_alarms == ["LiveQualityLow", "BadData"]
    good = Result(drill, {"LiveQualityLow": 9.0, "CalibrationBroken": 4.0}, {})
    assert good.passed


def test_the_page_shows_minutes_and_verdict() -> None:
    result = Result(BY_NAME["slow"], {"LatencyBudgetBurn": 7.4}, {})
    page = render([result], Conditions(60, "2026-01-01"))
    assert "1 scenarios: 1 as they should be, 0 expected alerts missed, 0 false alarms" in page
    assert "| LatencyBudgetBurn 7, - |" in page


def test_a_panel_that_is_later_than_its_alert_is_no_pass() -> None:
    drill = BY_NAME["slow"]
    late = Result(drill, {"LatencyBudgetBurn": 7.4}, {}, left_green={"LatencyBudgetBurn": None})
    assert late.late_panels == ["LatencyBudgetBurn"] and not late.passed
    page = render([late], Conditions(60, "2026-01-01"))
    assert "| `slow` | LatencyBudgetBurn: 7, late |" in page
    assert "1 panels later than their alert" in page
    steady = Result(BY_NAME["steady"], {}, {}, restless=["FeatureDrift"])
    assert not steady.passed
    assert "were not green for a while: FeatureDrift." in render([steady], Conditions(60, ""))


@pytest.mark.stack
def test_bad_data_is_notified_at_the_webhook_and_resolved(
    tools: Path, model_dir: Path, tmp_path: Path
) -> None:
    drill = replace(BY_NAME["bad-data"], before=20, lasts=40, afterwards=40)
    result = run(drill, tools, model_dir, 60, tmp_path)
    assert result.passed, (result.missed, result.false_alarms)
    assert result.resolved.keys() == {"BadData"}
    assert result.left_green.keys() == result.fired.keys() and not result.late_panels
    assert result.sent["labels"]["by_result"].keys() == {"counted"}
