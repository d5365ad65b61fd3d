"""Ratios of live traffic, while /simulate_traffic counts into predictions_total as well."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.lab.promtool import Case, Question, run
from tests.prometheus.rules.series import (
    NEXT_VERSION,
    SKEWED,
    VERSION,
    model,
    of_next_version,
    outcomes,
    predictions,
    scores,
    simulated,
    values_in_bins,
)

pytestmark = pytest.mark.stack

# As the demo command's transactions are called fraud.
SIMULATED = simulated(0.116)
IDLE = {name: "0x400" for name in predictions(3, 0.03)}


def fired(alert: str) -> str:
    """How many instances of the alert fire."""
    return f'count(ALERTS{{alertname="{alert}", alertstate="firing"}})'


@pytest.mark.parametrize("alert", ["FraudRateJump", "MeanScoreJump"])
def test_simulated_transactions_are_no_jump(tools: Path, tmp_path: Path, alert: str) -> None:
    """Neither on a fresh stack nor beside steady traffic; a jump of the live ones is one."""
    silent = (Question(fired(alert), "70m"),)
    fires = (Question(f"count({fired(alert)} > 0)", "70m", (("{}", 1),)),)
    cases = [
        Case("fresh", model() | IDLE | SIMULATED, silent),
        Case("steady", model() | predictions(3, 0.03) | SIMULATED, silent),
        Case("jump", model() | predictions(12, 0.12) | SIMULATED, fires),
    ]
    wrong = run(tools, tmp_path, cases, alert)
    assert not wrong, wrong


def test_gap_is_of_one_version(tools: Path, tmp_path: Path) -> None:
    """Labels of the version before against scores of the new one are no gap of either; a gap of one
    of them is one, though the other be there."""
    alert = "ExpectedPerformanceGap"
    before = model() | outcomes(4, 1, 6, 89)
    after = of_next_version(model() | predictions(10, 0.09))
    fires = Question(f"count({fired(alert)} > 0)", "9h", (("{}", 1),))
    gap = predictions(10, 0.09) | outcomes(4, 1, 6, 89)
    cases = [
        Case("one has labels", before | after, (Question(fired(alert), "9h"),), "5m"),
        Case("one has a gap", model() | gap | of_next_version(model()), (fires,), "5m"),
    ]
    wrong = run(tools, tmp_path, cases, alert, "5m")
    assert not wrong, wrong


# What each alert asks of the version that is stuck beside a new one without traffic or labels.
STUCK = {
    "FeatureDrift": values_in_bins("feature_values_total", SKEWED, feature="amount"),
    "ScoreDrift": values_in_bins("score_values_total", SKEWED),
    "FraudRateJump": predictions(12, 0.12),
    "MeanScoreJump": predictions(12, 0.12),
    "LiveQualityLow": outcomes(3, 7, 1, 89),
    "CalibrationBroken": scores(1, 2),
    "ExpectedPerformanceGap": predictions(10, 0.09) | outcomes(4, 1, 6, 89),
}


@pytest.mark.parametrize("alert", STUCK)
def test_a_stuck_replica_hides_no_fault(tools: Path, tmp_path: Path, alert: str) -> None:
    """Two versions in every window: the alert fires, names the one at fault, and only that."""
    series = model() | STUCK[alert] | of_next_version(model() | predictions(3, 0.03))
    of_one = f'ALERTS{{alertname="{alert}", alertstate="firing", version="%s"}}'
    questions = (
        Question(f"count(count({of_one % VERSION}) > 0)", "9h", (("{}", 1),)),
        Question(of_one % NEXT_VERSION, "9h"),
    )
    wrong = run(tools, tmp_path, [Case("stuck", series, questions, "5m")], alert, "5m")
    assert not wrong, wrong


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ('job:expected:share1d{measure="precision"}', 0.8),
        ('job:expected:share1d{measure="accuracy"}', 0.96),
        ("job:predictions:mean_score1h", 0.1),
        ("job:outcomes:coverage1d", 0.5),
    ],
)
def test_simulated_transactions_change_no_ratio(
    tools: Path, tmp_path: Path, name: str, value: float
) -> None:
    """Of 100 live ones a minute at a mean score of 0.1, half of them labelled."""
    series = model() | predictions(10, 0.1) | outcomes(10, 0, 0, 40) | SIMULATED
    question = Question(f"abs({name} - {value}) < bool 1e-9", "70m")
    wrong = run(
        tools,
        tmp_path,
        [Case("one call", series, (Question(f"sum({question.expr})", "70m", (("{}", 1),)),))],
        name.partition("{")[0],
    )
    assert not wrong, wrong
