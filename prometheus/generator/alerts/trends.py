"""Tickets before a limit is reached.

A line through noise crosses every limit now and then; so each ticket asks in addition that the
value already is on its way, by more than chance.
"""

from __future__ import annotations

from collections.abc import Iterator

from prometheus.generator.durations import Durations
from prometheus.generator.promql import VERSION, any_of
from prometheus.generator.recordings.baseline import (
    DISTRIBUTIONS,
    FEATURES,
    Distribution,
    follows_calendar,
    versions_seen,
    with_version,
)
from prometheus.generator.recordings.maturity import judged
from prometheus.generator.recordings.slo import budget_left
from prometheus.generator.recordings.trends import (
    BUDGET_AHEAD,
    DRIFT,
    QUEUE,
    QUEUE_AHEAD,
    RECALL_AHEAD,
    psi_ahead,
)
from prometheus.generator.rule import Alert
from prometheus.generator.slo import Slo
from prometheus.generator.thresholds import Thresholds


def alert_on_trends(durations: Durations, limits: Thresholds, slo: Slo) -> Iterator[Alert]:
    """What reaches its limit within a day: budgets, queues, drift, recall."""
    budget, trends = budget_left(slo), limits.trends
    # The budget ends within a day, and some of it is spent already.
    yield Alert(
        "ErrorBudgetSoonSpent",
        "ticket",
        f"{BUDGET_AHEAD} <= 0 and {budget} > 0 and {budget} < {trends.budget_left:g}",
        durations("15m"),
        "At this pace the error budget of {{ $labels.slo }} is spent within a day.",
        "{{ $value | humanizePercentage }} of the budget would be left in a day.",
        caused_by=("ServiceDown", "TelemetrySilent"),
        may_follow=("slow", "errors", "outage", "collector-gone"),
    )
    # The queue is full within a day, and some of it is used already.
    yield Alert(
        "CollectorQueueSoonFull",
        "ticket",
        f"{QUEUE_AHEAD} >= 1 and {QUEUE} > {trends.collector_queue:g}",
        durations("15m"),
        "At this pace the Collector's queue to {{ $labels.exporter }} is full within a day.",
        "{{ $value | humanizePercentage }} of its capacity would be used in a day.",
    )
    yield _alert_on_drift(durations, limits)
    yield _alert_on_recall(durations, limits)


def _alert_on_drift(durations: Durations, limits: Thresholds) -> Alert:
    # PSI crosses the limit of the day within a day, and is more than chance already.
    return Alert(
        "DriftSoon",
        "ticket",
        with_version(any_of(_will_drift(of, limits) for of in DISTRIBUTIONS), versions_seen(DRIFT)),
        durations("1h"),
        '{{ or $labels.feature "The score" }} moves away from the baseline of model '
        "{{ $labels.version }}: "
        "at this pace it drifts within a day.",
        'PSI would be {{ $value | printf "%.3f" }} above chance in a day.',
        caused_by=("ServiceDown",),
        may_follow=("drift", "fraud-burst"),
    )


def _alert_on_recall(durations: Durations, limits: Thresholds) -> Alert:
    # Recall falls to the limit below the card within a day, and is below it already.
    return Alert(
        "LiveQualitySoonLow",
        "ticket",
        with_version(_will_be_low(limits), judged("1d")),
        durations("1h"),
        "Recall of model {{ $labels.version }} falls: at this pace it is significantly below"
        " its card within a day.",
        "It would be {{ $value | humanizePercentage }} below the card.",
        may_follow=("concept", "drift", "fraud-burst"),
    )


def _will_drift(of: Distribution, limits: Thresholds) -> str:
    psi, limit = of.name("psi", DRIFT), f"{limits.drift.psi[DRIFT]:g}"
    expected = of.name("psi_expected", DRIFT)
    # What follows the calendar comes back from each weekend.
    of_calendar = f" unless on ({of.labels}) {follows_calendar(DRIFT)}"
    unless_calendar = of_calendar if of is FEATURES else ""
    return (
        f"({psi_ahead(of)} - {expected} > {limit}"
        f" and {of.name('distance', DRIFT)} > {of.name('distance_chance', DRIFT)}"
        f" and {psi} - {expected} <= {limit}{unless_calendar})"
    )


def _will_be_low(limits: Thresholds) -> str:
    loss, limit = "job:outcomes:loss1d", f"{limits.quality.loss:g}"
    recall = f"max by ({VERSION}) ({RECALL_AHEAD})"
    return (
        f'job:holdout:share{{measure="recall"}} - on ({VERSION}) group_left () {recall} > {limit}\n'
        f"and {loss} <= {limit}\n"
        f"and {loss} > {limits.trends.sigmas:g} * job:outcomes:loss_deviation1d"
    )
