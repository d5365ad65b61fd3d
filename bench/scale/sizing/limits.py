"""Where each part's limit is, by the lines through what was measured, in Markdown."""

from __future__ import annotations

from collections.abc import Mapping

from bench.scale.sizing.gateway import Saturated
from bench.scale.sizing.measurement import Measured
from bench.scale.sizing.projection import fit_line
from bench.scale.sizing.rule_table import RuleModel

_GIB_IN_MIB = 1024
_INTERVALS = (15, 60)


def format_limits(
    found: Mapping[int, Measured], model: RuleModel, gateway: Saturated | None
) -> str:
    """A line for each part."""
    known = list(found.values())
    per_push = fit_line([(one.samples_per_second, one.collector_cpu) for one in known])
    per_series = fit_line([(one.stored_series, one.store_pss) for one in known])
    in_time = " and ".join(
        f"{model.most_replicas(interval):,} replicas with a push each {interval} s"
        for interval in _INTERVALS
    )
    return "\n".join(
        [
            f"* Collector: {1 / per_push.slope:,.0f} samples a second for a whole core, by the line"
            f" through the sizes{_describe_saturated(gateway)}.",
            f"* Prometheus: {per_series.slope * _GIB_IN_MIB:,.1f} KiB a series beyond"
            f" {per_series.constant:,.0f} MiB, so"
            f" {(_GIB_IN_MIB - per_series.constant) / per_series.slope:,.0f} series in the first"
            " GiB of a young store.",
            f"* Rules: every group ends within its interval up to {in_time}, once windows are full"
            " and if each group has a core.",
        ]
    )


def _describe_saturated(found: Saturated | None) -> str:
    if found is None:
        return ""
    return (
        f"; {found.samples:,.0f} ({found.pushes:,.0f} pushes) a second were handed on when one"
        " sender sent the next push at each answer, which is no limit yet: Collector"
        f" {found.collector_cpu:.2f}, Prometheus {found.store_cpu:.2f}, sender"
        f" {found.sender_cpu:.2f} of a core, queue at most {found.queue_mib:,.1f} MiB,"
        f" {found.refused:,} pushes refused, {found.lost:,.0f} counts lost"
    )
