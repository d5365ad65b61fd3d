"""Ratios of live traffic, while /simulate_traffic counts into predictions_total as well."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.lab.promtool import Case, Question, run
from tests.prometheus.rules.series import handler, model, outcomes, predictions, simulated

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


def test_gap_is_of_one_model(tools: Path, tmp_path: Path) -> None:
    """Labels of the model before against scores of the new one are no gap of either."""
    alert = "ExpectedPerformanceGap"
    series = predictions(10, 0.09) | outcomes(4, 1, 6, 89)
    before = handler("model_version", "1x10 _x390", role="champion", version="1-ab12cd34")
    after = handler("model_version", "_x11 1x389", role="champion", version="2-cd34ab12")
    fires = Question(f"count({fired(alert)} > 0)", "70m", (("{}", 1),))
    cases = [
        Case("one model", series | model(), (fires,)),
        Case("two models", series | model() | before | after, (Question(fired(alert), "70m"),)),
    ]
    wrong = run(tools, tmp_path, cases, alert)
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
