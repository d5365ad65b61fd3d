"""Whether what comes in, and what the model makes of it, is as it was in training."""

from __future__ import annotations

from collections.abc import Iterator

from prometheus.generator.durations import Durations
from prometheus.generator.promql import any_window
from prometheus.generator.recordings import calendar, lasting
from prometheus.generator.recordings.baseline import (
    FEATURES,
    SCORE,
    Distribution,
    follows_calendar,
    last,
    versions_seen,
    with_version,
)
from prometheus.generator.recordings.rates import HOLDOUT_OF, INPUTS
from prometheus.generator.recordings.score_change import describe_movers
from prometheus.generator.rule import Alert
from prometheus.generator.thresholds import Thresholds

LASTING = "hours"  # shown as the window of a small shift that lasts


def alert_on_inputs(durations: Durations, limits: Thresholds) -> Iterator[Alert]:
    """Drift, jumps of the fraud share and the mean score, and refused transactions."""
    yield from _alert_on_drift(durations, limits)
    yield from _alert_on_jumps(durations, limits)
    share, low = f"data_quality:share{INPUTS}", f"data_quality:share_low{INPUTS}"
    # Even the lower bound of the refused share is above the limit, for one field and problem or
    # for all together.
    yield Alert(
        "BadData",
        "ticket",
        f"""
        (feature:{share}
          and feature:{low} > {limits.data_quality.share:g})
        or label_replace(label_replace(
          job:{share}
            and job:{low} > {limits.data_quality.share_of_all:g},
          "feature", "all fields", "", ""), "problem", "all problems", "", "")
        """,
        durations("5m"),
        "Many transactions are refused for {{ $labels.feature }}: {{ $labels.problem }}.",
        "{{ $value | humanizePercentage }} of all.",
        caused_by=("ServiceDown",),
        scenarios=("bad-data",),
    )


def _alert_on_drift(durations: Durations, limits: Thresholds) -> Iterator[Alert]:
    # PSI is above the window's limit by more than chance gives on average, and the distance above
    # what chance hardly exceeds.
    for name, of, what, scenarios, may_follow, movers in (
        ("FeatureDrift", FEATURES, "{{ $labels.feature }}", ("drift",), ("fraud-burst",), ""),
        ("ScoreDrift", SCORE, "The score", (), ("drift", "fraud-burst"), describe_movers()),
    ):
        conditions = {
            w: with_version(_has_drifted(of, w, limit), versions_seen(w))
            for w, limit in limits.drift.psi.items()
        }
        conditions[LASTING] = with_version(
            _drifts_on(of, durations, limits), versions_seen(lasting.FAR)
        )
        yield Alert(
            name,
            "ticket",
            any_window(conditions),
            durations("5m"),
            f"{what} is distributed differently from the baseline of"
            " model {{ $labels.version }} (last {{ $labels.window }}).",
            'PSI is {{ $value | printf "%.3f" }} above what chance gives.' + movers,
            caused_by=("ServiceDown",),
            scenarios=scenarios,
            may_follow=may_follow,
        )


def _has_drifted(of: Distribution, window: str, limit: float) -> str:
    psi, expected = of.name("psi", window), of.name("psi_expected", window)
    distance, by_chance = of.name("distance", window), of.name("distance_chance", window)
    far = f"({psi} - {expected} > {limit:g} and {distance} > {by_chance})"
    if of is not FEATURES:
        return f"  {far}"
    # What follows the calendar must be unlike the same hours of the week before as well.
    moved, usual = calendar.distance(window), calendar.distance_chance(window)
    unlike = f"{moved} - {calendar.distance_expected(window)} > {limit:g} and {moved} > {usual}"
    return (
        f"  ({far}\n"
        f"  unless on ({of.labels})"
        f" ({follows_calendar(window)} unless on ({of.labels}) ({unlike})))"
    )


def _drifts_on(of: Distribution, durations: Durations, limits: Thresholds) -> str:
    # The evidence was above what chance gives for as long; the value is the day's PSI.
    psi, expected = of.name("psi", lasting.FAR), of.name("psi_expected", lasting.FAR)
    least = f"min_over_time({lasting.evidence(of)}[{durations(limits.lasting.hold)}])"
    lasts = f"({least} > on (job) group_left () {lasting.most_by_chance(of, limits)})"
    calendar = f" unless on ({of.labels}) {follows_calendar(lasting.FAR)}"
    unless = calendar if of is FEATURES else ""
    return f"  ({psi} - {expected} and {lasts}{unless})"


def _alert_on_jumps(durations: Durations, limits: Thresholds) -> Iterator[Alert]:
    # Away from the holdout's by the window's factor, and by more standard deviations than chance
    # gives; a rise rests on a least number of predicted frauds (or sum of the scores).
    for name, what, words in (
        ("FraudRateJump", "fraud_share", "The share of predicted fraud"),
        ("MeanScoreJump", "mean_score", "The mean score"),
    ):
        conditions = {
            w: with_version(_has_jumped(what, w, factor, limits), versions_seen(w))
            for w, factor in limits.rates.factor.items()
        }
        yield Alert(
            name,
            "ticket",
            any_window(conditions),
            durations("5m"),
            f"{words} is far from the holdout's of model {{{{ $labels.version }}}}"
            " (last {{ $labels.window }}).",
            "It is {{ $value | humanizePercentage }}." + describe_movers(),
            caused_by=("ServiceDown",),
            scenarios=("fraud-burst",),
            may_follow=("drift",),
        )


def _has_jumped(what: str, window: str, factor: float, limits: Thresholds) -> str:
    name, rates = f"job:predictions:{what}", limits.rates
    live, usual = f"{name}{window}", last(HOLDOUT_OF[what], window)
    frauds = f"{live} * job:predictions:independent{window}"
    return (
        f"  (({live} > {factor:g} * {usual}"
        f" and {name}_rise{window} > {rates.sigmas:g} and {frauds} >= {rates.minimum_frauds:g})\n"
        f"  or ({live} < {usual} / {factor:g} and {name}_fall{window} > {rates.sigmas:g}))"
    )
