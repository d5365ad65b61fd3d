"""Recording rules of scores, service and challenger, where series are absent or zero.

Counters begin at 0 and end at the moment of the question: there `increase` extrapolates nothing.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from scipy.stats import binom, norm

from tests.lab.promtool import Case, Question
from tests.prometheus.rules.checks import check_rules, expect_nothing, expect_value
from tests.prometheus.rules.series import (
    JOB,
    constant,
    decisions,
    durations,
    handler,
    model,
    predictions,
    rare_scores,
    requests,
    rising,
    scores,
)

pytestmark = pytest.mark.stack


def test_mean_score_and_fraud_share(tools: Path, tmp_path: Path) -> None:
    """Against what numpy says about the very transactions."""
    probabilities = np.array([0.8] * 12 + [(12 - 9.6) / 88] * 88)
    series = model() | predictions(12, 0.12)
    for name, value in {
        "job:predictions:fraud_share1h": 0.12,
        "job:predictions:fraud_share_deviation1h": np.sqrt(0.03 * 0.97 * (1 / 2000 + 1 / 2000)),
        "job:predictions:mean_score1h": probabilities.mean(),
        # The most that scores of this mean can vary by, whatever the window happened to hold.
        "job:predictions:mean_score_deviation1h": np.sqrt(0.03 * 0.97 * 2 / 2000),
    }.items():
        check_rules(tools, tmp_path, name, Case("rates", series, (expect_value(name, value),)))


@pytest.mark.parametrize(("alarms", "way"), [(5, "rise"), (7, "rise"), (1, "fall"), (1.5, "fall")])
def test_deviate_is_that_of_the_exact_test(
    tools: Path, tmp_path: Path, alarms: float, way: str
) -> None:
    """Against the binomial tail, given both counts, at 3 to 6 deviations."""
    count, holdout = int(20 * alarms), 60  # among 2,000 rows each
    own = count if way == "rise" else holdout
    exact = norm.isf(binom.sf(own - 1, count + holdout, 0.5))
    series = model() | predictions(alarms, alarms / 100)
    for what in ("fraud_share", "mean_score"):
        name = f"job:predictions:{what}_{way}1h"
        question = Question(f"sum(abs({name} - {exact}) < bool 0.05)", "20m", (("{}", 1),))
        check_rules(tools, tmp_path, name, Case(way, series, (question,)))


def test_no_predicted_fraud_is_no_rise(tools: Path, tmp_path: Path) -> None:
    """Neither a number nor an error; the fall is one."""
    series = model() | predictions(0, 0.03)
    name = "job:predictions:fraud_share_{}1h"
    check_rules(
        tools,
        tmp_path,
        name.format("rise"),
        Case("none", series, (expect_nothing(name.format("rise")),)),
    )
    positive = Question(f"sum({name.format('fall')} > bool 5)", "20m", (("{}", 1),))
    check_rules(tools, tmp_path, name.format("fall"), Case("none", series, (positive,)))


def test_frauds_against_their_probabilities(tools: Path, tmp_path: Path) -> None:
    """A ratio, 0 without a fraud; nothing without an outcome."""
    expected, few = 20 * (7.5 + 1.8), scores(5, 1.8)
    name = "job:outcome_scores:fraud_ratio1d"
    check_rules(
        tools, tmp_path, name,
        Case("few", few, (expect_value(name, 20 * (5 + 1.8) / expected),)),
        Case("none", scores(0, 0), (expect_value(name, 0),)),
        Case("no outcome", {series: "0x60" for series in few}, (expect_nothing(name),)),
    )  # fmt: skip


@pytest.mark.parametrize(("frauds", "way"), [(3.0, "rise"), (0.6, "fall")])
def test_deviation_of_the_frauds_is_that_of_the_exact_test(
    tools: Path, tmp_path: Path, frauds: float, way: str
) -> None:
    """Against the binomial tail, 20 minutes of 1,000 at a probability of 0.0017 each."""
    rows, count, p = 20_000, int(20 * frauds), 0.0017
    tail = binom.sf(count - 1, rows, p) if way == "rise" else binom.cdf(count, rows, p)
    name = f"job:outcome_scores:fraud_{way}1d"
    question = Question(f"sum(abs({name} - {norm.isf(tail)}) < bool 0.05)", "20m", (("{}", 1),))
    check_rules(tools, tmp_path, name, Case(way, rare_scores(frauds), (question,)))


def test_error_ratios_without_an_error_series(tools: Path, tmp_path: Path) -> None:
    """0, not empty; nothing while there are no events."""
    name, chosen = "slo:error_ratio:1h", 'slo:error_ratio:1h{slo="availability"}'
    good = handler("http_requests_total", rising(10), endpoint="/predict", status="200")
    check_rules(
        tools, tmp_path, name,
        Case("no series", good, (expect_value(chosen, 0),)),
        Case("errors", requests("0+9x60", "0+1x60"), (expect_value(chosen, 0.1),)),
        Case("idle", requests("5x60", "1x60"), (expect_nothing(chosen),)),
        Case("slow", durations(80, 100), (expect_value('slo:error_ratio:1h{slo="latency"}', 0.2),)),
    )  # fmt: skip


def test_budget_left(tools: Path, tmp_path: Path) -> None:
    """0.1 % of errors have used a fifth of a budget of 0.5 %."""
    name = "slo:budget_left:30d"
    series = requests("0+999x60", "0+1x60")
    check_rules(
        tools, tmp_path, name, Case("fifth", series, (expect_value(f"{name}{{{JOB}}}", 0.8),))
    )


def test_challenger(tools: Path, tmp_path: Path) -> None:
    """Disagreement of decisions; the paired gain in accuracy with its error."""
    apart = "job:challenger:disagreement24h"
    check_rules(tools, tmp_path, apart, Case("apart", decisions(12), (expect_value(apart, 0.12),)))
    name = "paired_outcomes_total"
    series = (
        handler(name, rising(6), champion="legitimate", challenger="fraud", truth="fraud")
        | handler(name, rising(2), champion="fraud", challenger="legitimate", truth="fraud")
        | handler(name, rising(92), champion="legitimate", challenger="legitimate", truth="fraud")
    )
    gains = np.array([1.0] * 120 + [-1.0] * 40 + [0.0] * 1840)
    for what, value in (("gain7d", gains.mean()), ("gain_deviation7d", gains.std() / 2000**0.5)):
        recorded = f"job:challenger:{what}"
        check_rules(
            tools, tmp_path, recorded, Case("gain", series, (expect_value(recorded, value),))
        )


def test_refused_inputs(tools: Path, tmp_path: Path) -> None:
    """Share of all transactions that came, scored or refused."""
    name = "feature:data_quality:share15m"
    refused = handler("data_quality_total", rising(25), feature="age", problem="missing")
    series = predictions(10, 0.1) | refused | handler("queue_size", constant(1))
    check_rules(tools, tmp_path, name, Case("refused", series, (expect_value(name, 0.2),)))
