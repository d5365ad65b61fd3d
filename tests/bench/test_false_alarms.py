"""The study of false alarms in short: the rules themselves on drawn traffic."""

from __future__ import annotations

import pytest

from bench.detection.false_alarms import DAY, INPUTS, STEP, count_alarms, count_false_alarms
from bench.detection.steady import Service

pytestmark = pytest.mark.stack

STEPS = DAY // STEP


def test_two_steady_days_raise_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    """At 5 transactions a second, with labels that come a day late."""
    assert count_false_alarms((5.0,), 2) == {}


def test_a_feature_that_moves_is_seen() -> None:
    """The same drawn traffic, one of two features half a standard deviation higher at noon."""
    service = Service("moved", 5.0, STEPS, STEP, 3, features=2, changed=STEPS // 2, shift=0.5)
    assert count_alarms(INPUTS, service.inputs(), STEPS).keys() == {
        '{alertname="FeatureDrift", job="moved"}'
    }


def test_recall_that_falls_is_seen() -> None:
    """Of the labels of one day, 20 points of recall are missed."""
    service = Service("worse", 5.0, STEPS, STEP, 3, recall_loss=0.2)
    assert count_alarms(("LiveQualityLow",), service.labels(), STEPS).keys() >= {
        '{alertname="LiveQualityLow", job="worse"}'
    }
