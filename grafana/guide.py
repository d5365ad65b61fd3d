"""The budget in docs/grafana_cloud_setup.md, computed from the table of metrics.

Only what stands between the markers is generated; the words around it are written by hand.
"""

from __future__ import annotations

from grafana.cloud.budget import FREE_SERIES
from telemetry.docs import series_at_start
from telemetry.generated import replace_generated
from telemetry.metrics import METRICS

COMMAND = "python -m grafana generate"


def with_budget(guide: str) -> str:
    """The guide with its generated part made anew; ValueError where a marker is missing."""
    return replace_generated(guide, COMMAND, budget_table())


def budget_table() -> str:
    """What some workers send from their start, with the default model's features."""
    worker = sum(series_at_start(metric) for metric in METRICS)
    most = FREE_SERIES // worker
    rows = (
        _row("one worker, a push every 60 s", worker, 1),
        _row("two workers, a push every 60 s", 2 * worker, 1),
        _row("two workers, a push every 15 s", 2 * worker, 4),
        _row(f"{most} workers, a push every 60 s", most * worker, 1),
    )
    return "\n".join(
        (
            "| | active series | samples a minute | of the free plan |",
            "| --- | --- | --- | --- |",
            *rows,
        )
    )


def _row(name: str, series: int, samples_each: int) -> str:
    samples = series * samples_each
    return f"| {name} | {series:,} | {samples:,} | {samples / FREE_SERIES:.1%} |"
