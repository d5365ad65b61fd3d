"""Figures on cases whose answer is known without the code."""

from __future__ import annotations

import numpy as np
import pytest

from model.metrics import calibration_error, measure, recall_at
from model.threshold import CostRule

TARGET = np.array([0, 0, 1, 0, 1, 1, 0, 0, 0, 1], dtype=np.int8)
SCORES = np.array([0.1, 0.2, 0.3, 0.4, 0.6, 0.7, 0.05, 0.65, 0.15, 0.9])


def test_the_figures_of_ten_rows_counted_by_hand() -> None:
    """Alarms at 0.5: four, of which three hit; four frauds in all."""
    metrics = measure(TARGET, SCORES, 0.5)

    assert (metrics.rows, metrics.frauds, metrics.alert_rate) == (10, 4, 0.4)
    assert (metrics.precision, metrics.recall, metrics.accuracy) == (0.75, 0.75, 0.8)
    assert metrics.f1_score == 0.75
    assert metrics.brier == pytest.approx(float(np.mean((TARGET - SCORES) ** 2)), abs=1e-6)


def test_the_threshold_itself_is_an_alarm() -> None:
    assert measure(TARGET, SCORES, 0.9).alert_rate == 0.1


def test_no_alarm_at_all_has_precision_zero() -> None:
    metrics = measure(TARGET, SCORES, 0.99)

    assert (metrics.precision, metrics.recall, metrics.f1_score) == (0, 0, 0)


def test_calibration_error_is_zero_where_shares_meet_probabilities() -> None:
    probability = np.repeat([0.2, 0.6], 10)
    target = np.array([1, 1] + [0] * 8 + [1] * 6 + [0] * 4, dtype=np.int8)

    assert calibration_error(target, probability, bins=2) == pytest.approx(0)
    assert calibration_error(target, probability + 0.1, bins=2) == pytest.approx(0.1)


def test_recall_at_a_rate_of_false_alarms() -> None:
    """The first false alarm, of six honest rows, comes with two frauds found before it."""
    assert recall_at(TARGET, SCORES, 0.1) == 0.5
    assert recall_at(TARGET, SCORES, 1 / 6) == 0.75


@pytest.mark.parametrize(("ratio", "missed", "alarms"), [(0.1, 2, 2), (1, 2, 2), (10, 0, 6)])
def test_the_cost_rule_weighs_missed_frauds_against_alarms(
    ratio: float, missed: int, alarms: int
) -> None:
    threshold = CostRule(ratio).threshold(TARGET, SCORES)

    alarm = threshold <= SCORES
    assert (int(np.sum(~alarm & (TARGET == 1))), int(alarm.sum())) == (missed, alarms)


def test_the_cost_rules_threshold_is_the_cheapest_of_all() -> None:
    random = np.random.default_rng(1)
    scores = random.uniform(size=500).round(2)
    target = (random.uniform(size=500) < scores).astype(np.int8)

    def cost(threshold: float) -> float:
        alarm = scores >= threshold
        return 3.0 * np.sum(~alarm & (target == 1)) + np.sum(alarm & (target == 0))

    cheapest = min(cost(threshold) for threshold in np.linspace(0, 1.01, 102))
    assert cost(CostRule(3.0).threshold(target, scores)) == cheapest
