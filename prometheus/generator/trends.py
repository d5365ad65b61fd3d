"""Where things will be in a day at their present pace, and tickets before a limit is reached.

A straight line through the stated window (predict_linear), only where at least half of the window
has points. A line through noise crosses every limit now and then; so each ticket asks in addition
that the value already is on its way by more than chance.
"""

from __future__ import annotations

from dataclasses import dataclass

from prometheus.generator.durations import Clock, seconds
from prometheus.generator.recordings.drift import DISTRIBUTIONS
from prometheus.generator.rule import Alert, Group, Record, RuleFile
from prometheus.generator.slo import STEP, Slo
from prometheus.generator.thresholds import Thresholds

AHEAD = "1d"
QUEUE = "exporter:queue:ratio"
RECALL = 'segment:outcomes:share1d{role="champion", segment="all", measure="recall"}'


@dataclass(frozen=True)
class Trend:
    """A recorded series, the window of the line, and how often the series is recorded."""

    recorded: str
    series: str
    window: str
    every: str

    def rule(self, clock: Clock) -> Record:
        """The value in a day."""
        span, ahead = clock(self.window), clock.seconds(AHEAD)
        points = seconds(self.window) // seconds(self.every) // 2
        return Record(
            self.recorded,
            f"""
            predict_linear({self.series}[{span}], {ahead:g})
            and count_over_time({self.series}[{span}]) >= {points}
            """,
        )


def trends_file(clock: Clock, limits: Thresholds, slo: Slo) -> RuleFile:
    """rules/trends.yml"""
    budget = f"slo:budget_left:{slo.period}"
    trends = (
        Trend("slo:budget_left:in_1d", budget, "6h", STEP),
        Trend("exporter:queue:ratio_in_1d", QUEUE, "1h", "1m"),
        *(
            Trend(f"{each.name('psi', '24h')}_in_1d", each.name("psi", "24h"), "6h", "4m")
            for each in DISTRIBUTIONS
        ),
        Trend("job:outcomes:recall1d_in_1d", RECALL, "1d", "4m"),
    )
    sizes, capacities = "otelcol_exporter_queue_size", "otelcol_exporter_queue_capacity"
    queue = Record(QUEUE, f"max by (job, exporter) ({sizes} / ({capacities} > 0))")
    records = Group("trends", clock("1m"), (queue, *(trend.rule(clock) for trend in trends)))
    alerts = Group("trend_alerts", clock("1m"), _alerts(clock, limits, budget))
    return RuleFile(
        "trends.yml",
        "Where things will be in a day; generator/trends.py",
        (records, alerts),
    )


def _alerts(clock: Clock, limits: Thresholds, budget: str) -> tuple[Alert, ...]:
    features, score = DISTRIBUTIONS
    limit, card = limits.drift.psi["24h"], 'job:holdout:share{measure="recall"}'
    drifting = "\nor\n".join(
        f"({of.name('psi', '24h')}_in_1d - {of.name('psi_expected', '24h')} > {limit:g}"
        f" and {of.name('psi', '24h')} > {of.name('psi_chance', '24h')}"
        f" and {of.name('psi', '24h')} - {of.name('psi_expected', '24h')} <= {limit:g})"
        for of in (features, score)
    )
    falling = (
        f"{card} - on (job) group_left () max by (job) (job:outcomes:recall1d_in_1d)"
        f" > {limits.quality.loss:g}\n"
        f"and job:outcomes:loss1d <= {limits.quality.loss:g}\n"
        f"and job:outcomes:loss1d > 2 * job:outcomes:loss_deviation1d"
    )
    return (
        Alert(
            "ErrorBudgetSoonSpent",
            "ticket",
            f"slo:budget_left:in_1d <= 0 and {budget} > 0 and {budget} < 0.9",
            clock("15m"),
            "At this pace the error budget of {{ $labels.slo }} is spent within a day.",
            "{{ $value | humanizePercentage }} of the budget would be left in a day.",
        ),
        Alert(
            "CollectorQueueSoonFull",
            "ticket",
            f"exporter:queue:ratio_in_1d >= 1 and {QUEUE} > 0.05",
            clock("15m"),
            "At this pace the Collector's queue to {{ $labels.exporter }} is full within a day.",
            "{{ $value | humanizePercentage }} of its capacity would be used in a day.",
        ),
        Alert(
            "DriftSoon",
            "ticket",
            drifting,
            clock("1h"),
            '{{ or $labels.feature "The score" }} moves away from the baseline: '
            "at this pace it drifts within a day.",
            'PSI would be {{ $value | printf "%.3f" }} above chance in a day.',
        ),
        Alert(
            "LiveQualitySoonLow",
            "ticket",
            falling,
            clock("1h"),
            "Recall falls: at this pace it is significantly below the model card within a day.",
            "It would be {{ $value | humanizePercentage }} below the card.",
        ),
    )
