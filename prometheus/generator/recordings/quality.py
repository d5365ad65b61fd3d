"""How good the decisions were, from labelled outcomes as they come in.

Every outcome is counted once with its role, version, decision, true class (`truth`), user type and
value band. The rules add it up for all (`segment="all"`), by user type and by value band; what
follows is written once and holds for each segment, role and version. `measure` is accuracy,
precision or recall, each a share of `trials` with its 95 % interval of E. B. Wilson (1927), which
holds at small counts and at shares of 0 and 1.

Without trials there is no series: no frauds among the labels, no recall.

Labels count in the window in which they arrive, not in which they were predicted: maturity.py says
which versions can be judged by them, verification.py corrects for what is never labelled.
"""

from __future__ import annotations

from collections.abc import Iterator

from prometheus.generator.durations import Durations
from prometheus.generator.promql import (
    LABELLED_FRAUD,
    LABELLED_LEGITIMATE,
    OF_CHAMPION,
    PREDICTED_FRAUD,
    PREDICTED_LEGITIMATE,
    VERSION,
    last_max,
    sum_increase,
)
from prometheus.generator.recordings.baseline import last, record_versions, unless_two_models
from prometheus.generator.recordings.calibration import record_scores
from prometheus.generator.recordings.design_effect import widen
from prometheus.generator.recordings.maturity import (
    SHARES,
    record_ages,
    record_judged,
    record_quality_by_age,
)
from prometheus.generator.recordings.verification import record_verification
from prometheus.generator.recordings.wilson import wilson_high, wilson_low
from prometheus.generator.rule import Group, Record
from prometheus.generator.thresholds import Thresholds

# window: how often it is evaluated
WINDOWS = {"1d": "4m", "7d": "4m"}
MEASURES = ("accuracy", "precision", "recall")
CARD = "24h"  # the card is read as last seen in this window
LIVE = "1d"  # the window of model_*{evaluation="live"}
BY = f"{VERSION}, role, segment, value"
_OF_ALL = f'{OF_CHAMPION}, segment="all"'


def record_quality(durations: Durations, limits: Thresholds) -> Iterator[Group]:
    """Shares, scores, labels and the comparison with the card by window; the live figures."""
    for window, interval in WINDOWS.items():
        every = durations(interval)
        yield Group(f"quality_{window}", every, tuple(_record_shares(window, durations)))
        yield Group(f"scores_{window}", every, tuple(record_scores(window, durations)))
        labels = [*_record_labels(window, durations), *record_verification(window, durations)]
        if window == LIVE:
            labels += record_ages(durations)
        if window == SHARES:
            labels += record_quality_by_age(durations)
        labels += record_judged(window, durations, limits)
        yield Group(f"labels_{window}", every, tuple(labels))
        yield Group(f"card_{window}", every, tuple(_compare_with_card(window, durations)))
    live = (*_record_live(durations), *_record_card(durations))
    yield Group("quality_live", durations("1m"), live)


def of_champion(what: str, window: str, *matchers: str) -> str:
    """The champion's recorded outcomes of all segments: `share` or `trials` of each measure."""
    chosen = ", ".join((_OF_ALL, *matchers))
    return f"max by ({VERSION}, measure) (segment:outcomes:{what}{window}{{{chosen}}})"


def f1_of_champion(window: str) -> str:
    """The champion's recorded F1 of all segments."""
    return f"max by ({VERSION}) (segment:outcomes:f1_score{window}{{{_OF_ALL}}})"


def _record_shares(window: str, durations: Durations) -> Iterator[Record]:
    each, name = f"outcome:outcomes:increase{window}", f"segment:outcomes:increase{window}"
    whole = f"{VERSION}, role, class_name, truth"
    # Outcomes by all their labels, then by segment.
    labels = f"{whole}, user_type, value_band"
    yield Record(each, sum_increase("outcomes_total", durations(window), labels))
    yield Record(name, f"sum by ({whole}) ({each})", {"segment": "all", "value": "all"})
    for segment in ("user_type", "value_band"):
        moved = f'label_replace({each}, "value", "$1", "{segment}", "(.+)")'
        yield Record(name, f"sum by ({whole}, value) ({moved})", {"segment": segment})
    # Each measure's successes among its trials, its share and the share's 95 % interval.
    yield from _record_successes(name, window)
    share, trials = f"segment:outcomes:share{window}", f"segment:outcomes:trials{window}"
    successes = f"segment:outcomes:successes{window}"
    yield Record(share, f"{successes} / ({trials} > 0)")
    yield Record(f"segment:outcomes:share_low{window}", wilson_low(successes, trials))
    yield Record(f"segment:outcomes:share_high{window}", wilson_high(successes, trials))
    # The harmonic mean of precision and recall.
    frauds, alarms = f"{name}{{{LABELLED_FRAUD}}}", f"{name}{{{PREDICTED_FRAUD}}}"
    yield Record(
        f"segment:outcomes:f1_score{window}",
        f"""
        2 * sum by ({BY}) ({_hits(name)})
        / (sum by ({BY}) ({frauds}) + sum by ({BY}) ({alarms}) > 0)
        """,
    )


def _hits(name: str) -> str:
    """Frauds that were predicted."""
    return f"{name}{{{PREDICTED_FRAUD}, {LABELLED_FRAUD}}}"


def _record_successes(name: str, window: str) -> Iterator[Record]:
    right = f"{_hits(name)} or {name}{{{PREDICTED_LEGITIMATE}, {LABELLED_LEGITIMATE}}}"
    parts = {
        "accuracy": (right, name),
        "precision": (_hits(name), f"{name}{{{PREDICTED_FRAUD}}}"),
        "recall": (_hits(name), f"{name}{{{LABELLED_FRAUD}}}"),
    }
    for measure, (part, whole) in parts.items():
        label, trials = {"measure": measure}, f"sum by ({BY}) ({whole})"
        yield Record(f"segment:outcomes:trials{window}", trials, label)
        successes = f"sum by ({BY}) ({part}) or 0 * {trials}"
        yield Record(f"segment:outcomes:successes{window}", successes, label)


def _record_live(durations: Durations) -> Iterator[Record]:
    # The last day's quality under the names of the card's.
    for measure in MEASURES:
        share = f'segment:outcomes:share{LIVE}{{{_OF_ALL}, measure="{measure}"}}'
        yield Record(f"model_{measure}", f"max by ({VERSION}) ({share})", {"evaluation": "live"})
    yield Record("model_f1_score", f1_of_champion(LIVE), {"evaluation": "live"})
    # Each feature's share of the contributions to live predictions.
    attribution = sum_increase("feature_attribution_total", durations("1h"), "job, feature")
    yield Record(
        "feature_importance",
        f"{attribution} / on (job) group_left () (sum by (job) ({attribution}) > 0)",
        {"source": "live"},
    )


def _record_labels(window: str, durations: Durations) -> Iterator[Record]:
    span = durations(window)
    # How long labels took, half of them and nine in ten.
    delays = sum_increase("outcome_delay_seconds_bucket", span, "job, le")
    for name, share in (("p50", 0.5), ("p90", 0.9)):
        quantile = f"histogram_quantile({share}, {delays}) >= 0"
        yield Record(f"job:outcome_delay_seconds:{name}_{window}", quantile)
    # Labels for each prediction that the champion answered.
    labelled = sum_increase(f"outcomes_total{{{OF_CHAMPION}}}", span)
    predicted = sum_increase("champion_answers_total", span)
    yield Record(f"job:outcomes:coverage{window}", f"{labelled} / ({predicted} > 0)")
    # Receipts that came back, by what became of them.
    results = sum_increase("feedback_total", span, "job, result")
    yield Record(f"result:feedback:increase{window}", results)


def _record_card(durations: Durations) -> Iterator[Record]:
    """What the card promises, and how many rows of the holdout are behind each promise."""
    rows = last("model_holdout_rows", CARD)
    trials = {
        "accuracy": rows,
        "precision": f"{rows} * {last('model_holdout_alert_rate', CARD)}",
        "recall": last("model_holdout_frauds", CARD),
    }
    for measure, behind in trials.items():
        gauge = f'model_{measure}{{evaluation="holdout"}}'
        promised = last_max(gauge, durations(CARD), VERSION)
        yield Record("job:holdout:share", promised, {"measure": measure})
        yield Record("job:holdout:trials", behind, {"measure": measure})


def _compare_with_card(window: str, durations: Durations) -> Iterator[Record]:
    """How far below the card, and in standard errors: the test of two shares, pooled."""
    yield record_versions(window, durations)
    live, seen = of_champion("share", window), of_champion("trials", window)
    card, behind = "job:holdout:share", "job:holdout:trials"
    # The card's share less the live one, of each version by itself.
    yield Record(f"job:outcomes:loss{window}", f"{card} - {live} {unless_two_models(window)}")
    # The standard error of that difference where there really is none.
    pooled = f"(({live} * {seen} + {card} * {behind}) / ({seen} + {behind}))"
    independent = f"(1 / ({seen} > 0) + 1 / ({behind} > 0))"
    error = f"sqrt({pooled} * clamp_min(1 - {pooled}, 0) * {independent})"
    yield Record(f"job:outcomes:loss_deviation{window}", widen(error))
