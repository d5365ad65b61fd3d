"""Panels of single numbers: stats, and a histogram as bars."""

from __future__ import annotations

from grafana.dashboard import Panel
from grafana.sdk import bargauge, common, kinds
from grafana.sdk import stat as stat_panel


def stat(panel: Panel) -> stat_panel.Panel:
    """The newest value, coloured by its threshold; with its legend where there may be several."""
    named = "{{" in panel.queries[0].legend
    modes = kinds.BigValueTextMode
    return (
        stat_panel.Panel()
        .reduce_options(_newest())
        .color_mode(kinds.BigValueColorMode.VALUE)
        .graph_mode(kinds.BigValueGraphMode.NONE)
        .text_mode(modes.VALUE_AND_NAME if named else modes.VALUE)
    )


def histogram(panel: Panel) -> bargauge.Panel:
    """One histogram, a bar for each bucket."""
    return (
        bargauge.Panel()
        .min(0)
        .orientation(kinds.VizOrientation.HORIZONTAL)
        .display_mode(kinds.BarGaugeDisplayMode.BASIC)
        .reduce_options(_newest())
    )


def _newest() -> common.ReduceDataOptions:
    return common.ReduceDataOptions().calcs(["lastNotNull"]).values(False)
