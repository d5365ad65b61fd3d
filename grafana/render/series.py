"""Panels over time: lines with bands and limits, stacks, heatmaps, states."""

from __future__ import annotations

from string import ascii_uppercase
from typing import Any

from grafana.dashboard import Line, Panel, Query, Severity
from grafana.sdk import (
    common,
    heatmap_parts,
    kinds,
    model,
    statetimeline,
    timeseries,
)
from grafana.sdk import heatmap as heatmap_panel

Properties = list[model.DynamicConfigValue]

_LOOKS: dict[Line, dict[str, Any]] = {
    Line.LIVE: {},
    Line.EXPECTED: {"custom.lineStyle": {"fill": "dash", "dash": [8, 6]}},
    Line.CARD: {"custom.lineStyle": {"fill": "dot", "dash": [2, 6]}},
    Line.LIMIT: {
        "custom.lineStyle": {"fill": "dash", "dash": [4, 4]},
        "custom.lineWidth": 1,
        "color": {"mode": "fixed", "fixedColor": Severity.ACT.value},
    },
    Line.LOW: {"custom.lineWidth": 0, "custom.hideFrom": {"legend": True}},
    Line.HIGH: {"custom.lineWidth": 0, "custom.hideFrom": {"legend": True}},
}
_BAND_OPACITY = 12


def lines(panel: Panel) -> timeseries.Panel:
    """Lines, each drawn as what it is."""
    shown = _plot(panel).line_width(2).fill_opacity(0).show_points(kinds.VisibilityMode.NEVER)
    for letter, query, before in zip(
        ascii_uppercase, panel.queries, (None, *panel.queries), strict=False
    ):
        properties = _properties(query, before)
        if properties:
            shown.override_by_query(letter, properties)
    return shown


def stack(panel: Panel) -> timeseries.Panel:
    """Areas on top of each other."""
    stacking = common.StackingConfig().mode(kinds.StackingMode.NORMAL)
    return _plot(panel).line_width(1).fill_opacity(60).stacking(stacking)


def heatmap(panel: Panel) -> heatmap_panel.Panel:
    """A histogram's cells over time; darker is more."""
    color = heatmap_panel.HeatmapColorOptions().mode(heatmap_parts.HeatmapColorMode.SCHEME)
    return (
        heatmap_panel.Panel()
        .calculate(False)
        .color(color.scheme("Blues").steps(64).reverse(False).fill("blue").exponent(0.5))
        .y_axis(heatmap_panel.YAxisConfig().unit(panel.unit))
        .cell_gap(1)
        .hide_legend()
    )


def states(panel: Panel) -> statetimeline.Panel:
    """Up or down over time."""
    words = {"1": ("up", Severity.GOOD), "0": ("down", Severity.ACT)}
    results = {
        value: model.ValueMappingResult(text=text, color=severity.value, index=index)
        for index, (value, (text, severity)) in enumerate(words.items())
    }
    return (
        statetimeline.Panel()
        .mappings([model.ValueMap(options=results)])
        .merge_values(True)
        .show_value(kinds.VisibilityMode.AUTO)
    )


def _plot(panel: Panel) -> timeseries.Panel:
    drawn = any(step.value is not None for step in panel.thresholds)
    style = kinds.GraphThresholdsStyleMode
    shown = timeseries.Panel() if panel.signed else timeseries.Panel().min(0)
    return (
        shown.thresholds_style(
            common.GraphThresholdsStyleConfig().mode(style.DASHED if drawn else style.OFF)
        )
        .legend(
            common.VizLegendOptions()
            .show_legend(True)
            .display_mode(kinds.LegendDisplayMode.LIST)
            .placement(kinds.LegendPlacement.BOTTOM)
            .calcs(["lastNotNull"])
        )
        .tooltip(common.VizTooltipOptions().mode(kinds.TooltipDisplayMode.MULTI))
    )


def _properties(query: Query, before: Query | None) -> Properties:
    look = dict(_LOOKS[query.line])
    if query.line is Line.HIGH:
        if before is None or before.line is not Line.LOW:
            raise ValueError(f"{query.legend}: a band's upper edge comes right after its lower")
        look |= {"custom.fillBelowTo": before.legend, "custom.fillOpacity": _BAND_OPACITY}
    if query.unit:
        look["unit"] = query.unit
    if query.colour:
        look["color"] = {"mode": "fixed", "fixedColor": query.colour}
    if query.thresholds:
        steps = [{"value": t.value, "color": t.severity.value} for t in query.thresholds]
        look |= {
            "thresholds": {"mode": "absolute", "steps": steps},
            "custom.thresholdsStyle": {"mode": "dashed"},
        }
    return [model.DynamicConfigValue(id_val=name, value=value) for name, value in look.items()]
