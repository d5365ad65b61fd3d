"""Where things will be in a day at their present pace.

A straight line through the stated window (predict_linear), only where at least half of the window
has points.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from prometheus.generator.durations import Durations, parse_duration
from prometheus.generator.promql import OF_CHAMPION
from prometheus.generator.recordings import quality, slo
from prometheus.generator.recordings.baseline import DISTRIBUTIONS, Distribution
from prometheus.generator.recordings.drift import WINDOWS
from prometheus.generator.rule import Group, Record
from prometheus.generator.slo import Slo

AHEAD = "1d"
STEP = "1m"
QUEUE, QUEUE_AHEAD = "exporter:queue:ratio", f"exporter:queue:ratio_in_{AHEAD}"
BUDGET_AHEAD = f"slo:budget_left:in_{AHEAD}"
RECALL_AHEAD = f"job:outcomes:recall1d_in_{AHEAD}"
DRIFT = "24h"  # the window whose PSI is followed


@dataclass(frozen=True)
class Trend:
    """A recorded series, the window of the line, and how often the series is recorded."""

    recorded: str
    series: str
    window: str
    every: str

    def record(self, durations: Durations) -> Record:
        """The value in a day."""
        span, ahead = durations(self.window), durations.scale_seconds(AHEAD)
        points = parse_duration(self.window) // parse_duration(self.every) // 2
        return Record(
            self.recorded,
            f"""
            predict_linear({self.series}[{span}], {ahead:g})
            and count_over_time({self.series}[{span}]) >= {points}
            """,
        )


def record_trends(durations: Durations, promises: Slo) -> tuple[Group]:
    """The Collector's queue, and a straight line through what may reach a limit."""
    return (Group("trends", durations(STEP), tuple(_record(durations, promises))),)


def _record(durations: Durations, promises: Slo) -> Iterator[Record]:
    # The share of each queue of the Collector that is used.
    sizes, capacities = "otelcol_exporter_queue_size", "otelcol_exporter_queue_capacity"
    yield Record(QUEUE, f"max by (job, exporter) ({sizes} / ({capacities} > 0))")
    # Budgets, queues, PSI and recall as they will be in a day.
    recall = f'segment:outcomes:share1d{{{OF_CHAMPION}, segment="all", measure="recall"}}'
    trends = (
        Trend(BUDGET_AHEAD, slo.budget_left(promises), "6h", slo.STEP),
        Trend(QUEUE_AHEAD, QUEUE, "1h", STEP),
        *(
            Trend(psi_ahead(each), each.name("psi", DRIFT), "6h", WINDOWS[DRIFT])
            for each in DISTRIBUTIONS
        ),
        Trend(RECALL_AHEAD, recall, "1d", quality.WINDOWS["1d"]),
    )
    yield from (trend.record(durations) for trend in trends)


def psi_ahead(of: Distribution) -> str:
    """Name of the series of the PSI in a day."""
    return f"{of.name('psi', DRIFT)}_in_{AHEAD}"
