"""Recording rules of quality and labels, where series are absent or zero.

Counters begin at 0 and end at the moment of the question: there `increase` extrapolates nothing.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from scipy.stats import binomtest
from sklearn.metrics import recall_score

from bench.late_labels import correct
from tests.lab.promtool import Case
from tests.prometheus.rules.checks import check_rules, expect_nothing, expect_value
from tests.prometheus.rules.series import (
    handler,
    outcomes,
    predictions,
    rising,
)

pytestmark = pytest.mark.stack


@pytest.mark.parametrize(
    ("successes", "trials"), [(0, 40), (40, 40), (1, 100), (700, 1000)], ids=str
)
def test_wilson_interval(tools: Path, tmp_path: Path, successes: int, trials: int) -> None:
    """As scipy's, at shares of 0 and 1 too."""
    series = outcomes(successes / 20, (trials - successes) / 20, 0, 0)
    wanted = binomtest(successes, trials).proportion_ci(method="wilson")
    for bound, value in (("low", wanted.low), ("high", wanted.high)):
        name = f"segment:outcomes:share_{bound}1d"
        asked = expect_value(f'{name}{{segment="all", measure="recall"}}', value)
        check_rules(tools, tmp_path, name, Case("wilson", series, (asked,)))


@pytest.mark.parametrize("measure", ["accuracy", "precision", "recall", "f1_score"])
def test_live_quality(tools: Path, tmp_path: Path, measure: str) -> None:
    """model_*{evaluation="live"}, nothing while no outcome came."""
    name, wanted = f"model_{measure}", {
        "accuracy": 0.9, "precision": 0.75, "recall": 0.375, "f1_score": 0.5,
    }  # fmt: skip
    live = f'{name}{{evaluation="live"}}'
    check_rules(
        tools, tmp_path, name,
        Case("some", outcomes(3, 5, 1, 51), (expect_value(live, wanted[measure]),)),
        Case("zero", outcomes(0, 0, 0, 0), (expect_nothing(live),)),
        Case("none", {}, (expect_nothing(live),)),
    )  # fmt: skip


def test_no_recall_without_frauds(tools: Path, tmp_path: Path) -> None:
    """Labels that are all legitimate say nothing about recall, but about accuracy."""
    series = outcomes(0, 0, 0, 10)
    live = 'model_recall{evaluation="live"}'
    check_rules(
        tools, tmp_path, "model_recall", Case("all legitimate", series, (expect_nothing(live),))
    )
    asked = expect_value('model_accuracy{evaluation="live"}', 1)
    check_rules(tools, tmp_path, "model_accuracy", Case("all legitimate", series, (asked,)))


def test_expected_performance(tools: Path, tmp_path: Path) -> None:
    """Of 10 alarms at 0.8 eight are expected to be fraud, of a mean score of 0.1 ten in all."""
    live = '{evaluation="expected"}'
    for measure, value in {"precision": 0.8, "recall": 0.8, "accuracy": 0.96}.items():
        name = f"model_{measure}"
        series = predictions(10, 0.1)
        check_rules(
            tools, tmp_path, name, Case("some", series, (expect_value(name + live, value),))
        )
        check_rules(
            tools,
            tmp_path,
            name,
            Case("zero", predictions_at_zero(), (expect_nothing(name + live),)),
        )


def answers(alarms: float, others: float) -> dict[str, str]:
    """Decisions of the champion a minute, all answered by it."""
    name = "champion_answers_total"
    found = handler(name, rising(alarms), class_name="fraud")
    return found | handler(name, rising(others), class_name="legitimate")


def test_recall_is_corrected_for_what_is_not_labelled(tools: Path, tmp_path: Path) -> None:
    """Of the alarms all are labelled, of the others a twentieth: as scikit-learn says of weighted
    rows, its interval as numpy says; nothing without a label of the others."""
    series = outcomes(6, 1, 4, 49) | answers(10, 1000)
    rows = [(1, 1)] * 6 + [(1, 0)] + [(0, 1)] * 4 + [(0, 0)] * 49
    truth, decision = np.array(rows).T
    weights = np.where(decision == 1, 1.0, 20.0)
    low, recall, high = correct([200, 20_000], [200, 1000], [120, 20])
    assert recall == pytest.approx(recall_score(truth, decision, sample_weight=weights))
    name = "job:outcomes:corrected_recall"
    for bound, value in (("1d", recall), ("_low1d", low), ("_high1d", high)):
        asked = name + bound
        check_rules(
            tools, tmp_path, asked,
            Case("some", series, (expect_value(asked, value),)),
            Case("alarms alone", outcomes(6, 0, 4, 0) | answers(10, 1000), (
                () if bound != "1d" else (expect_nothing(asked),)
            )),
        )  # fmt: skip
    covered = 'class:outcomes:coverage1d{class_name="legitimate"}'
    check_rules(
        tools, tmp_path, covered.partition("{")[0],
        Case("coverage", series, (expect_value(covered, 0.05),)),
    )  # fmt: skip


def test_interval_of_the_corrected_recall_without_a_missed_fraud(
    tools: Path, tmp_path: Path
) -> None:
    """None is known among a thousand of 20,000: the recall may still be far from 1."""
    series = outcomes(6, 0, 4, 50) | answers(10, 1000)
    low, recall, _ = correct([200, 20_000], [200, 1000], [120, 0])
    assert recall == 1 and low < 0.5
    name = "job:outcomes:corrected_recall_low1d"
    check_rules(tools, tmp_path, name, Case("no miss", series, (expect_value(name, low),)))


def predictions_at_zero() -> dict[str, str]:
    """Every counter exists, nothing was counted."""
    return {name: "0x60" for name in predictions(10, 0.1)}


def test_live_importance(tools: Path, tmp_path: Path) -> None:
    """Shares of the attributions that add up to 1; nothing while none was sampled."""
    name, live = "feature_importance", 'feature_importance{source="live"'
    some = handler("feature_attribution_total", rising(3), feature="amount") | handler(
        "feature_attribution_total", rising(1), feature="age"
    )
    zero = {series: "0x60" for series in some}
    amount = f'{live}, feature="amount"}}'
    check_rules(
        tools, tmp_path, name,
        Case("some", some, (expect_value(amount, 0.75), expect_value(f"{live}}}", 1))),
        Case("zero", zero, (expect_nothing(f"{live}}}"),)),
    )  # fmt: skip


def test_label_coverage_and_delay(tools: Path, tmp_path: Path) -> None:
    """Half of the predictions are labelled, all within ten minutes."""
    name = "outcome_delay_seconds_bucket"
    delays = handler(name, rising(50), le="600") | handler(name, rising(50), le="+Inf")
    series = predictions(10, 0.1) | outcomes(10, 0, 0, 40) | handler(name, "0x60", le="60") | delays
    coverage, median = "job:outcomes:coverage1d", "job:outcome_delay_seconds:p50_1d"
    check_rules(tools, tmp_path, coverage, Case("half", series, (expect_value(coverage, 0.5),)))
    check_rules(
        tools, tmp_path, median, Case("median", series, (expect_value(median, 60 + 540 / 2),))
    )
    zero = {series: "0x60" for series in delays}
    check_rules(tools, tmp_path, median, Case("none", zero, (expect_nothing(median),)))
