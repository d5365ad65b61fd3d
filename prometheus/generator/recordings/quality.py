"""How good the decisions were, from labelled outcomes as they come in.

Every outcome is counted once with its role, decision, truth, user type and value band. The rules
add it up for all (`segment="all"`), by user type and by value band; what follows is written once
and holds for each segment and role. `measure` is accuracy, precision or recall, each a share of
`trials` with its 95 % interval of E. B. Wilson (1927), which holds at small counts and at shares
of 0 and 1.

Without trials there is no series: no frauds among the labels, no recall.

Labels count in the window in which they arrive, not in which they were predicted.

ROC AUC is binned: of pairs (fraud, legitimate) in different probability bins the higher is right,
in the same bin half. Calibration error (ECE) is the sum over bins of |sum of probabilities -
frauds| / outcomes. The part of it that chance gives to a calibrated model: the mean of |x| of a
normal x is sqrt(2 / pi) standard deviations, its variance 1 - 2 / pi; the bin's variance is n p
(1 - p) at its mean probability p, which is not less than the true one. Brier = mean squared
error.
"""

from __future__ import annotations

from collections.abc import Iterator
from math import pi, sqrt

from prometheus.generator import wilson
from prometheus.generator.durations import Clock
from prometheus.generator.recordings.drift import last
from prometheus.generator.rule import Group, Record, RuleFile

# window: how often it is evaluated
WINDOWS = {"1d": "4m", "7d": "4m"}
CARD = "24h"  # the card is read as last seen in this window
LIVE = "1d"  # the window of model_*{evaluation="live"}
BINS = tuple(f"{number:02}" for number in range(1, 21))
BY = "job, role, segment, value"
_FRAUD, _LEGITIMATE = 'truth="fraud"', 'truth="legitimate"'
_HIT = 'class_name="fraud", truth="fraud"'


def quality_file(clock: Clock) -> RuleFile:
    """rules/quality.yml"""
    groups = []
    for window, interval in WINDOWS.items():
        every = clock(interval)
        groups += [
            Group(f"quality_{window}", every, tuple(_shares(window, clock))),
            Group(f"scores_{window}", every, tuple(_scores(window, clock))),
            Group(f"labels_{window}", every, tuple(_labels(window, clock))),
            Group(f"card_{window}", every, tuple(_against_card(window, clock))),
        ]
    live = Group("quality_live", clock("1m"), (*_live(clock), *_card(clock)))
    about = (
        "Live quality from labelled outcomes; formulas: prometheus/generator/recordings/quality.py"
    )
    return RuleFile("quality.yml", about, (*groups, live))


def _shares(window: str, clock: Clock) -> Iterator[Record]:
    each, name = f"outcome:outcomes:increase{window}", f"segment:outcomes:increase{window}"
    labels = "job, role, class_name, truth, user_type, value_band"
    yield Record(each, f"sum by ({labels}) (increase(outcomes_total[{clock(window)}]))")
    whole = "job, role, class_name, truth"
    yield Record(name, f"sum by ({whole}) ({each})", {"segment": "all", "value": "all"})
    for segment in ("user_type", "value_band"):
        moved = f'label_replace({each}, "value", "$1", "{segment}", "(.+)")'
        yield Record(name, f"sum by ({whole}, value) ({moved})", {"segment": segment})
    yield from _successes(name, window)
    share, trials = f"segment:outcomes:share{window}", f"segment:outcomes:trials{window}"
    successes = f"segment:outcomes:successes{window}"
    yield Record(share, f"{successes} / ({trials} > 0)")
    yield Record(f"segment:outcomes:share_low{window}", wilson.low(successes, trials))
    yield Record(f"segment:outcomes:share_high{window}", wilson.high(successes, trials))
    frauds, alarms = f"{name}{{{_FRAUD}}}", f'{name}{{class_name="fraud"}}'
    yield Record(
        f"segment:outcomes:f1_score{window}",
        f"""
        2 * sum by ({BY}) ({name}{{{_HIT}}})
        / (sum by ({BY}) ({frauds}) + sum by ({BY}) ({alarms}) > 0)
        """,
    )


def _successes(name: str, window: str) -> Iterator[Record]:
    right = f'{name}{{{_HIT}}} or {name}{{class_name="legitimate", truth="legitimate"}}'
    measures = {
        "accuracy": (right, name),
        "precision": (f"{name}{{{_HIT}}}", f'{name}{{class_name="fraud"}}'),
        "recall": (f"{name}{{{_HIT}}}", f"{name}{{{_FRAUD}}}"),
    }
    for measure, (part, whole) in measures.items():
        label, trials = {"measure": measure}, f"sum by ({BY}) ({whole})"
        yield Record(f"segment:outcomes:trials{window}", trials, label)
        successes = f"sum by ({BY}) ({part}) or 0 * {trials}"
        yield Record(f"segment:outcomes:successes{window}", successes, label)


def _live(clock: Clock) -> Iterator[Record]:
    all_of = 'role="champion", segment="all"'
    for measure in ("accuracy", "precision", "recall"):
        share = f'segment:outcomes:share{LIVE}{{{all_of}, measure="{measure}"}}'
        yield Record(f"model_{measure}", f"max by (job) ({share})", {"evaluation": "live"})
    f1_score = f"segment:outcomes:f1_score{LIVE}{{{all_of}}}"
    yield Record("model_f1_score", f"max by (job) ({f1_score})", {"evaluation": "live"})
    attribution = f"sum by (job, feature) (increase(feature_attribution_total[{clock('1h')}]))"
    yield Record(
        "feature_importance",
        f"{attribution} / on (job) group_left () (sum by (job) ({attribution}) > 0)",
        {"source": "live"},
    )


def _scores(window: str, clock: Clock) -> Iterator[Record]:
    span = clock(window)
    by_bin, total = f"bin:outcome_scores:increase{window}", f"job:outcome_scores:increase{window}"
    given, below = f"bin:outcome_probability:increase{window}", f"bin:outcome_scores:below{window}"
    yield Record(by_bin, f"sum by (job, bin, truth) (increase(outcome_scores_total[{span}]))")
    yield Record(given, f"sum by (job, bin) (increase(outcome_probability_total[{span}]))")
    yield Record(total, f"sum by (job, truth) ({by_bin})")
    yield Record(below, _below(by_bin))
    yield Record(f"job:outcome_scores:roc_auc{window}", _roc_auc(by_bin, total, below))
    outcomes = f"(sum by (job) ({total}) > 0)"
    frauds = f"sum by (job, bin) ({by_bin}{{{_FRAUD}}})"
    yield Record(
        f"job:outcome_scores:calibration_error{window}",
        f"sum by (job) (abs({given} - {frauds})) / {outcomes}",
    )
    squared = f"sum by (job) (increase(outcome_squared_error_total[{span}]))"
    yield Record(f"job:outcome_scores:brier{window}", f"{squared} / {outcomes}")
    variance = f"({given} - {given} ^ 2 / (sum by (job, bin) ({by_bin}) > 0))"
    yield Record(
        f"job:outcome_scores:calibration_chance{window}",
        f"{sqrt(2 / pi)} * sum by (job) (sqrt(clamp_min({variance}, 0))) / {outcomes}",
    )
    yield Record(
        f"job:outcome_scores:calibration_deviation{window}",
        f"sqrt({1 - 2 / pi} * sum by (job) (clamp_min({variance}, 0))) / {outcomes}",
    )


def _below(by_bin: str) -> str:
    """Legitimate outcomes in lower bins and half of those in the same one, by bin."""
    terms = []
    for position, own in enumerate(BINS):
        half = f'0.5 * sum by (job) ({by_bin}{{{_LEGITIMATE}, bin="{own}"}})'
        lower = f'{by_bin}{{{_LEGITIMATE}, bin=~"{"|".join(BINS[:position])}"}}'
        value = f"{half} + sum by (job) ({lower})" if position else half
        terms.append(f'label_replace({value}, "bin", "{own}", "", "")')
    return "\nor ".join(terms)


def _roc_auc(by_bin: str, total: str, below: str) -> str:
    pairs = f"sum by (job) ({total}{{{_FRAUD}}}) * sum by (job) ({total}{{{_LEGITIMATE}}})"
    frauds = f"sum by (job, bin) ({by_bin}{{{_FRAUD}}})"
    return f"sum by (job) ({frauds} * {below}) / ({pairs} > 0)"


def _labels(window: str, clock: Clock) -> Iterator[Record]:
    span = clock(window)
    delays = f"sum by (job, le) (increase(outcome_delay_seconds_bucket[{span}]))"
    for name, share in (("p50", 0.5), ("p90", 0.9)):
        quantile = f"histogram_quantile({share}, {delays}) >= 0"
        yield Record(f"job:outcome_delay_seconds:{name}_{window}", quantile)
    labelled = f'sum by (job) (increase(outcomes_total{{role="champion"}}[{span}]))'
    predicted = f"sum by (job) (increase(predictions_total[{span}]))"
    yield Record(f"job:outcomes:coverage{window}", f"{labelled} / ({predicted} > 0)")
    results = f"sum by (job, result) (increase(feedback_total[{span}]))"
    yield Record(f"result:feedback:increase{window}", results)


def _card(clock: Clock) -> Iterator[Record]:
    """What the card promises, and how many rows of the holdout are behind each promise."""
    rows = last("model_holdout_rows", CARD)
    trials = {
        "accuracy": rows,
        "precision": f"{rows} * {last('model_holdout_alert_rate', CARD)}",
        "recall": last("model_holdout_frauds", CARD),
    }
    for measure, behind in trials.items():
        gauge = f'model_{measure}{{evaluation="holdout"}}'
        promised = f"max by (job) (last_over_time({gauge}[{clock(CARD)}]))"
        yield Record("job:holdout:share", promised, {"measure": measure})
        yield Record("job:holdout:trials", behind, {"measure": measure})


def _against_card(window: str, clock: Clock) -> Iterator[Record]:
    """How far below the card, and in standard errors: the test of two shares, pooled."""
    models = f"job:model_versions:count{window}"
    versions = f'last_over_time(model_version{{role="champion"}}[{clock(window)}])'
    yield Record(models, f"count by (job) (count by (job, version) ({versions}))")
    live, seen = (
        f'max by (job, measure) (segment:outcomes:{what}{window}{{role="champion", segment="all"}})'
        for what in ("share", "trials")
    )
    loss = f"job:outcomes:loss{window}"
    # With outcomes of two models in the window no card applies to all of them.
    yield Record(loss, f"job:holdout:share - {live} unless on (job) ({models} > 1)")
    card, behind = "job:holdout:share", "job:holdout:trials"
    pooled = f"(({live} * {seen} + {card} * {behind}) / ({seen} + {behind}))"
    yield Record(
        f"job:outcomes:loss_deviation{window}",
        f"sqrt({pooled} * clamp_min(1 - {pooled}, 0) * (1 / ({seen} > 0) + 1 / ({behind} > 0)))",
    )
