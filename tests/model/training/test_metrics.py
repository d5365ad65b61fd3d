"""Figures on cases whose answer is known without the code."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import average_precision_score, roc_auc_score

from model.serving.errors import ModelError
from model.training.curve import Ranking
from model.training.metrics import (
    bootstrap_intervals,
    compute_figures,
    measure,
    measure_calibration,
)
from model.training.threshold import AlertRateRule, CostRule, PrecisionRule, Rule, choose_threshold

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

    assert measure_calibration(target, probability) == pytest.approx(0)
    assert measure_calibration(target, probability + 0.1) == pytest.approx(0.1)


def test_recall_at_a_rate_of_false_alarms() -> None:
    """The first false alarm, of six honest rows, comes with two frauds found before it."""
    assert Ranking(TARGET, SCORES).curve().recall_at(0.1) == 0.5
    assert Ranking(TARGET, SCORES).curve().recall_at(1 / 6) == 0.75


@pytest.mark.parametrize("digits", [1, 2, 12], ids=["many ties", "some ties", "no ties"])
def test_curves_equal_scikit_learns_with_and_without_weights(digits: int) -> None:
    random = np.random.default_rng(2)
    scores = random.beta(1, 5, 3000).round(digits)
    target = (random.uniform(size=3000) < scores).astype(np.int8)
    weights = random.integers(0, 4, 3000)

    for weight in (None, weights):
        curve = Ranking(target, scores).curve(weight)
        expected = average_precision_score(target, scores, sample_weight=weight)
        assert curve.average_precision() == pytest.approx(expected, abs=1e-12)
        expected = roc_auc_score(target, scores, sample_weight=weight)
        assert curve.roc_auc() == pytest.approx(expected, abs=1e-12)


def test_a_resamples_figures_are_those_of_the_rows_drawn() -> None:
    """Weights of 0, 1, 2 … give the same figures as the rows repeated so often.

    A bin of the calibration error never parts a row from its repetitions, so that one is near.
    """
    random = np.random.default_rng(3)
    scores = random.beta(1, 5, 2000)
    target = (random.uniform(size=2000) < scores).astype(np.int8)
    weights = random.integers(0, 3, 2000)
    curve = Ranking(target, scores).curve(weights)

    weighted = compute_figures(target, scores, 0.3, curve, weights)

    repeated = measure(np.repeat(target, weights), np.repeat(scores, weights), 0.3)
    for name, value in weighted.items():
        tolerance = 2e-3 if name == "calibration_error" else 1e-6
        assert getattr(repeated, name) == pytest.approx(value, abs=tolerance), name


def test_intervals_hold_the_true_value_about_as_often_as_they_say() -> None:
    """Precision is known here: the score itself is the chance, so 0.6 above the threshold."""
    held = 0
    for seed in range(40):
        random = np.random.default_rng(seed)
        scores = np.repeat([0.1, 0.6], 300)
        target = (random.uniform(size=600) < scores).astype(np.int8)
        low, high = bootstrap_intervals(target, scores, 0.5, seed)["precision"]
        held += low <= 0.6 <= high
    assert 34 <= held <= 40


@pytest.mark.parametrize(("ratio", "missed", "alarms"), [(0.1, 2, 2), (1, 2, 2), (10, 0, 6)])
def test_the_cost_rule_weighs_missed_frauds_against_alarms(
    ratio: float, missed: int, alarms: int
) -> None:
    threshold = choose_threshold(CostRule(ratio), TARGET, SCORES)

    alarm = threshold <= SCORES
    assert (int(np.sum(~alarm & (TARGET == 1))), int(alarm.sum())) == (missed, alarms)


def test_the_cost_rules_threshold_is_the_cheapest_of_all() -> None:
    random = np.random.default_rng(1)
    scores = random.uniform(size=500).round(2)
    target = (random.uniform(size=500) < scores).astype(np.int8)

    def cost(threshold: float) -> float:
        alarm = scores >= threshold
        return float(3.0 * np.sum(~alarm & (target == 1)) + np.sum(alarm & (target == 0)))

    cheapest = min(cost(threshold) for threshold in np.linspace(0, 1.01, 102))
    assert cost(choose_threshold(CostRule(3.0), target, scores)) == cheapest


def test_the_precision_rule_finds_most_frauds_at_its_precision() -> None:
    """Falling scores: hit, hit, false, hit (3 of 4), false, hit (4 of 6)."""
    assert (
        measure(TARGET, SCORES, choose_threshold(PrecisionRule(0.75), TARGET, SCORES)).recall
        == 0.75
    )
    assert (
        measure(TARGET, SCORES, choose_threshold(PrecisionRule(0.6), TARGET, SCORES)).recall == 1.0
    )
    assert (
        measure(TARGET, SCORES, choose_threshold(PrecisionRule(0.9), TARGET, SCORES)).recall == 0.5
    )


def test_threshold_lies_off_the_scores_themselves() -> None:
    """Sums of equal trees differ in their last digit: 0.3 and 0.30000000000000004 decide alike."""
    scores = np.array([0.1, 0.2, 0.3, 0.1 + 0.2, 0.9])
    target = np.array([0, 0, 1, 1, 1], dtype=np.int8)

    threshold = choose_threshold(CostRule(3.0), target, scores)

    assert 0.2 + 1e-7 < threshold <= 0.3 - 1e-7


@pytest.mark.parametrize("rate", [0.1, 0.35, 0.5])
def test_the_alert_rate_rule_alarms_no_more_than_it_may(rate: float) -> None:
    threshold = choose_threshold(AlertRateRule(rate), TARGET, SCORES)

    assert measure(TARGET, SCORES, threshold).alert_rate == int(rate * 10) / 10


@pytest.mark.parametrize(
    ("rule", "sentence"),
    [
        (PrecisionRule(0.99), r"no threshold has a precision of 0\.99 .* the best is 0\.500"),
        (AlertRateRule(0.1), r"no threshold alarms as few as 0\.1 .* 2 of 4 share the highest"),
    ],
    ids=["precision", "alert rate"],
)
def test_a_rule_that_cannot_be_kept_says_what_is_possible(rule: Rule, sentence: str) -> None:
    target = np.array([1, 0, 0, 1], dtype=np.int8)

    with pytest.raises(ModelError, match=sentence):
        choose_threshold(rule, target, np.array([0.9, 0.9, 0.1, 0.1]))
