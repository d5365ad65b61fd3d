"""The study of false alarms in short: the rules themselves on drawn traffic."""

from __future__ import annotations

import numpy as np
import pytest

from bench.detection.false_alarms import DAY, INPUTS, STEP, count_alarms, count_false_alarms
from bench.detection.false_alarms_numpy import HOLD, find_first
from bench.detection.false_alarms_numpy import count_alarms as count_minutes
from bench.detection.rare_alarms import CHANGED, Case, draw_jumps, draw_ratios
from bench.detection.steady import Service
from prometheus.generator.thresholds import read_thresholds

STEPS = DAY // STEP


@pytest.mark.stack
def test_two_steady_days_raise_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    """At 5 transactions a second, with labels that come a day late."""
    assert count_false_alarms((5.0,), 2) == {}


@pytest.mark.stack
def test_a_feature_that_moves_is_seen() -> None:
    """The same drawn traffic, one of two features half a standard deviation higher at noon."""
    service = Service("moved", 5.0, STEPS, STEP, 3, features=2, changed=STEPS // 2, shift=0.5)
    assert count_alarms(INPUTS, service.inputs(), STEPS).keys() == {
        '{alertname="FeatureDrift", job="moved"}'
    }


@pytest.mark.stack
def test_recall_that_falls_is_seen() -> None:
    """Of the labels of one day, 20 points of recall are missed."""
    service = Service("worse", 5.0, STEPS, STEP, 3, recall_loss=0.2)
    assert count_alarms(("LiveQualityLow",), service.labels(), STEPS).keys() >= {
        '{alertname="LiveQualityLow", job="worse"}'
    }


@pytest.mark.parametrize("share", [0.001, 0.002])
def test_rare_alarms_in_steady_traffic_are_no_jump(share: float) -> None:
    """A week at 0.2 a second: the normal approximation saw a jump in two or three alarms."""
    found = draw_jumps(np.random.default_rng(11), read_thresholds(), Case(0.2, share), 7)
    assert [count_minutes(each, HOLD["drift"]) for each in found] == [0, 0, 0]


def test_rare_alarms_that_become_ten_times_as_many_are_seen() -> None:
    """Within four hours, at 0.2 a second and one alarm in a thousand."""
    found = draw_jumps(np.random.default_rng(11), read_thresholds(), Case(0.2, 0.001, 10), 8)
    assert min(find_first(each[CHANGED:], HOLD["drift"]) for each in found) < 240


@pytest.mark.parametrize(("factor", "seen"), [(1, False), (0.6, True)])
def test_frauds_against_their_probabilities_where_fraud_is_rare(factor: float, seen: bool) -> None:
    """At 1 a second and two in a thousand; 40 % fewer are seen within a week."""
    case = Case(1.0, 0.002, factor)
    found = draw_ratios(np.random.default_rng(11), read_thresholds(), case, 14)
    alarms = [count_minutes(each, HOLD["quality"]) for each in found]
    assert (sum(alarms) > 0) == seen
