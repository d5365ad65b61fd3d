"""Recording rules where series are absent, zero, silent or reset, and over several instances.

Counters begin at 0 and end at the moment of the question: there `increase` extrapolates nothing.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from scipy.stats import binom, binomtest, norm

from prometheus.generator.thresholds import read_thresholds
from tests.lab.promtool import Case, Question, run
from tests.prometheus.rules.series import (
    EVEN,
    HANDLER,
    JOB,
    constant,
    decisions,
    durations,
    handler,
    model,
    outcomes,
    predictions,
    rare_scores,
    requests,
    rising,
    scores,
    values_in_bins,
)

pytestmark = pytest.mark.stack

PSI = "feature:feature_values:psi{}"
OTHER_HOST = HANDLER.replace("host-0", "host-1")
AMOUNT = {"feature": "amount"}


def check(tools: Path, folder: Path, wanted: str, *cases: Case) -> None:
    """No difference to what the cases say."""
    wrong = run(tools, folder, list(cases), wanted)
    assert not wrong, wrong


def near(expr: str, value: float, at: str = "20m") -> Question:
    """The one series of the expression has this value, to 1e-12."""
    return Question(f"abs(sum({expr}) - {float(value)!r}) < bool 1e-12", at, (("{}", 1),))


def nothing(expr: str, at: str = "20m") -> Question:
    """The expression is empty: no series, and no NaN."""
    return Question(expr, at)


def moved(series: dict[str, str]) -> dict[str, str]:
    """The same series of another instance."""
    return {name.replace(HANDLER, OTHER_HOST): values for name, values in series.items()}


def test_drift_needs_the_minimum_count(tools: Path, tmp_path: Path) -> None:
    """Nothing at four fifths of it, a value when it is reached; zero without any drift."""
    per_minute = read_thresholds().drift.minimum_count / 25
    few = {number: per_minute * value / sum(EVEN.values()) for number, value in EVEN.items()}
    series = model() | values_in_bins("feature_values_total", few, **AMOUNT)
    name = PSI.format("1h")
    questions = (nothing(name, "20m"), near(name, 0, "25m"))
    check(tools, tmp_path, name, Case("few", series, questions))


def test_counters_at_zero_give_nothing(tools: Path, tmp_path: Path) -> None:
    """Neither NaN nor a drift of nothing."""
    series = model() | values_in_bins("feature_values_total", dict.fromkeys(EVEN, 0.0), **AMOUNT)
    check(tools, tmp_path, PSI.format("24h"), Case("zero", series, (nothing(PSI.format("24h")),)))


def test_instances_are_added_up_first(tools: Path, tmp_path: Path) -> None:
    """Two instances that each see one half of the bins are together as the baseline."""
    one = values_in_bins("feature_values_total", EVEN | {"01": 0.0, "02": 0.0}, **AMOUNT)
    other = values_in_bins("feature_values_total", EVEN | {"03": 0.0, "04": 0.0}, **AMOUNT)
    series = model() | one | moved(model() | other)
    name = PSI.format("1h")
    check(tools, tmp_path, name, Case("two", series, (near(name, 0),)))


def test_reset_counters_count_on(tools: Path, tmp_path: Path) -> None:
    """A restart in one instance is no drift."""
    series = model() | values_in_bins("feature_values_total", EVEN, **AMOUNT)
    restarted = {
        name: "0+25x9 0+25x40" if "0+25.0x" in values else values for name, values in series.items()
    }
    name = PSI.format("1h")
    check(tools, tmp_path, name, Case("reset", restarted, (near(name, 0),)))


def test_silence_keeps_the_long_window(tools: Path, tmp_path: Path) -> None:
    """An hour after the last sample the day's drift is still there; that of 15 minutes is not."""
    busy = {name: values.split("x")[0] + "x20" for name, values in model().items()} | {
        name: values.split("x")[0] + "x20"
        for name, values in values_in_bins("feature_values_total", EVEN, **AMOUNT).items()
    }
    questions = (near(PSI.format("24h"), 0, "80m"),)
    check(tools, tmp_path, PSI.format("24h"), Case("silent", busy, questions))
    questions = (nothing(PSI.format("15m"), "80m"),)
    check(tools, tmp_path, PSI.format("15m"), Case("silent", busy, questions))


def test_two_models_in_a_window_give_no_drift(tools: Path, tmp_path: Path) -> None:
    """Bins of two models have other bounds; once the first is out of the window it goes on."""
    series = model() | values_in_bins("feature_values_total", EVEN, **AMOUNT)
    first = handler("model_version", "1x10", role="champion", version="1-ab12cd34")
    second = handler("model_version", "_x11 1x60", role="champion", version="2-cd34ab12")
    name = PSI.format("15m")
    questions = (nothing(name, "20m"), near(name, 0, "40m"))
    check(tools, tmp_path, name, Case("two models", series | first | second, questions))


def test_new_model_on_a_new_host_has_its_own_baseline(tools: Path, tmp_path: Path) -> None:
    """What the host before showed is not mixed in, once its model is out of the window."""
    before = {name: values.split("x")[0] + "x10" for name, values in model().items()}
    bins = {f"0{number}": "_x11 0.5x60" for number in (1, 2)}
    after = handler("model_version", "_x11 1x60", role="champion", version="2-cd34ab12")
    after |= handler("baseline_rows", "_x11 5000x60")
    for number, share in bins.items():
        after |= handler("feature_baseline_share", share, bin=number, **AMOUNT)
        after |= handler("feature_values_total", "_x11 0+50x60", bin=number, **AMOUNT)
    name = PSI.format("15m")
    check(tools, tmp_path, name, Case("hosts", before | moved(after), (near(name, 0, "40m"),)))


@pytest.mark.parametrize(
    ("successes", "trials"), [(0, 40), (40, 40), (1, 100), (700, 1000)], ids=str
)
def test_wilson_interval(tools: Path, tmp_path: Path, successes: int, trials: int) -> None:
    """As scipy's, at shares of 0 and 1 too."""
    series = outcomes(successes / 20, (trials - successes) / 20, 0, 0)
    wanted = binomtest(successes, trials).proportion_ci(method="wilson")
    for bound, value in (("low", wanted.low), ("high", wanted.high)):
        name = f"segment:outcomes:share_{bound}1d"
        asked = near(f'{name}{{segment="all", measure="recall"}}', value)
        check(tools, tmp_path, name, Case("wilson", series, (asked,)))


@pytest.mark.parametrize("measure", ["accuracy", "precision", "recall", "f1_score"])
def test_live_quality(tools: Path, tmp_path: Path, measure: str) -> None:
    """model_*{evaluation="live"}, nothing while no outcome came."""
    name, wanted = f"model_{measure}", {
        "accuracy": 0.9, "precision": 0.75, "recall": 0.375, "f1_score": 0.5,
    }  # fmt: skip
    live = f'{name}{{evaluation="live"}}'
    check(
        tools, tmp_path, name,
        Case("some", outcomes(3, 5, 1, 51), (near(live, wanted[measure]),)),
        Case("zero", outcomes(0, 0, 0, 0), (nothing(live),)),
        Case("none", {}, (nothing(live),)),
    )  # fmt: skip


def test_no_recall_without_frauds(tools: Path, tmp_path: Path) -> None:
    """Labels that are all legitimate say nothing about recall, but about accuracy."""
    series = outcomes(0, 0, 0, 10)
    live = 'model_recall{evaluation="live"}'
    check(tools, tmp_path, "model_recall", Case("all legitimate", series, (nothing(live),)))
    asked = near('model_accuracy{evaluation="live"}', 1)
    check(tools, tmp_path, "model_accuracy", Case("all legitimate", series, (asked,)))


def test_expected_performance(tools: Path, tmp_path: Path) -> None:
    """Of 10 alarms at 0.8 eight are expected to be fraud, of a mean score of 0.1 ten in all."""
    live = '{evaluation="expected"}'
    for measure, value in {"precision": 0.8, "recall": 0.8, "accuracy": 0.96}.items():
        name = f"model_{measure}"
        series = predictions(10, 0.1)
        check(tools, tmp_path, name, Case("some", series, (near(name + live, value),)))
        check(tools, tmp_path, name, Case("zero", predictions_at_zero(), (nothing(name + live),)))


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
    check(
        tools, tmp_path, name,
        Case("some", some, (near(f'{live}, feature="amount"}}', 0.75), near(f"{live}}}", 1))),
        Case("zero", zero, (nothing(f"{live}}}"),)),
    )  # fmt: skip


def test_label_coverage_and_delay(tools: Path, tmp_path: Path) -> None:
    """Half of the predictions are labelled, all within ten minutes."""
    name = "outcome_delay_seconds_bucket"
    delays = handler(name, rising(50), le="600") | handler(name, rising(50), le="+Inf")
    series = predictions(10, 0.1) | outcomes(10, 0, 0, 40) | handler(name, "0x60", le="60") | delays
    coverage, median = "job:outcomes:coverage1d", "job:outcome_delay_seconds:p50_1d"
    check(tools, tmp_path, coverage, Case("half", series, (near(coverage, 0.5),)))
    check(tools, tmp_path, median, Case("median", series, (near(median, 60 + 540 / 2),)))
    zero = {series: "0x60" for series in delays}
    check(tools, tmp_path, median, Case("none", zero, (nothing(median),)))


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
        check(tools, tmp_path, name, Case("rates", series, (near(name, value),)))


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
        check(tools, tmp_path, name, Case(way, series, (question,)))


def test_no_predicted_fraud_is_no_rise(tools: Path, tmp_path: Path) -> None:
    """Neither a number nor an error; the fall is one."""
    series = model() | predictions(0, 0.03)
    name = "job:predictions:fraud_share_{}1h"
    check(
        tools, tmp_path, name.format("rise"), Case("none", series, (nothing(name.format("rise")),))
    )
    positive = Question(f"sum({name.format('fall')} > bool 5)", "20m", (("{}", 1),))
    check(tools, tmp_path, name.format("fall"), Case("none", series, (positive,)))


def test_frauds_against_their_probabilities(tools: Path, tmp_path: Path) -> None:
    """A ratio, 0 without a fraud; nothing without an outcome."""
    expected, few = 20 * (7.5 + 1.8), scores(5, 1.8)
    name = "job:outcome_scores:fraud_ratio1d"
    check(
        tools, tmp_path, name,
        Case("few", few, (near(name, 20 * (5 + 1.8) / expected),)),
        Case("none", scores(0, 0), (near(name, 0),)),
        Case("no outcome", {series: "0x60" for series in few}, (nothing(name),)),
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
    check(tools, tmp_path, name, Case(way, rare_scores(frauds), (question,)))


def test_error_ratios_without_an_error_series(tools: Path, tmp_path: Path) -> None:
    """0, not empty; nothing while there are no events."""
    name, chosen = "slo:error_ratio:1h", 'slo:error_ratio:1h{slo="availability"}'
    good = handler("http_requests_total", rising(10), endpoint="/predict", status="200")
    check(
        tools, tmp_path, name,
        Case("no series", good, (near(chosen, 0),)),
        Case("errors", requests("0+9x60", "0+1x60"), (near(chosen, 0.1),)),
        Case("idle", requests("5x60", "1x60"), (nothing(chosen),)),
        Case("slow", durations(80, 100), (near('slo:error_ratio:1h{slo="latency"}', 0.2),)),
    )  # fmt: skip


def test_budget_left(tools: Path, tmp_path: Path) -> None:
    """0.1 % of errors have used a fifth of a budget of 0.5 %."""
    name = "slo:budget_left:30d"
    series = requests("0+999x60", "0+1x60")
    check(tools, tmp_path, name, Case("fifth", series, (near(f"{name}{{{JOB}}}", 0.8),)))


def test_challenger(tools: Path, tmp_path: Path) -> None:
    """Disagreement of decisions; the paired gain in accuracy with its error."""
    apart = "job:challenger:disagreement24h"
    check(tools, tmp_path, apart, Case("apart", decisions(12), (near(apart, 0.12),)))
    name = "paired_outcomes_total"
    series = (
        handler(name, rising(6), champion="legitimate", challenger="fraud", truth="fraud")
        | handler(name, rising(2), champion="fraud", challenger="legitimate", truth="fraud")
        | handler(name, rising(92), champion="legitimate", challenger="legitimate", truth="fraud")
    )
    gains = np.array([1.0] * 120 + [-1.0] * 40 + [0.0] * 1840)
    for what, value in (("gain7d", gains.mean()), ("gain_deviation7d", gains.std() / 2000**0.5)):
        recorded = f"job:challenger:{what}"
        check(tools, tmp_path, recorded, Case("gain", series, (near(recorded, value),)))


def test_refused_inputs(tools: Path, tmp_path: Path) -> None:
    """Share of all transactions that came, scored or refused."""
    name = "feature:data_quality:share15m"
    refused = handler("data_quality_total", rising(25), feature="age", problem="missing")
    series = predictions(10, 0.1) | refused | handler("queue_size", constant(1))
    check(tools, tmp_path, name, Case("refused", series, (near(name, 0.2),)))
