"""Panels with a row, group or point for each value of a label: tables, bar charts, scatter plots.

Each query is one column. Grafana joins them by the labels that they have in common.
"""

from __future__ import annotations

from string import ascii_uppercase

from grafana.dashboard import Line, Panel, Query
from grafana.sdk import barchart, common, kinds, model, xychart, xychart_parts
from grafana.sdk import table as table_panel

_COLORED_CELL = {"type": "color-background", "mode": "basic"}


def table(panel: Panel) -> table_panel.Panel:
    """A row for each value of the label; cells with thresholds are coloured by them."""
    shown = table_panel.Panel().transformations(_join(panel))
    for query in panel.queries:
        properties = _cell_properties(query)
        if properties:
            shown.override_by_name(query.legend, properties)
    return shown


def bars(panel: Panel) -> barchart.Panel:
    """A group for each value of the label, a bar for each query."""
    return (
        barchart.Panel()
        .min(0)
        .transformations(_join(panel))
        .x_field(panel.by)
        .orientation(kinds.VizOrientation.HORIZONTAL)
        .show_value(kinds.VisibilityMode.NEVER)
        .legend(_legend())
        .tooltip(common.VizTooltipOptions().mode(kinds.TooltipDisplayMode.MULTI))
    )


def scatter(panel: Panel) -> xychart.Panel:
    """A point for each value of the label; what is not measured is a line."""
    x, *others = panel.queries
    shown = (
        xychart.Panel()
        .transformations(_join(panel))
        .mapping(xychart_parts.SeriesMapping.MANUAL)
        .show(xychart_parts.XYShowMode.POINTS)
        .series([_series(x.legend, query.legend) for query in others])
        .legend(_legend())
        .tooltip(common.VizTooltipOptions().mode(kinds.TooltipDisplayMode.SINGLE))
    )
    for query in others:
        if query.line is not Line.LIVE:
            line = model.DynamicConfigValue(id_val="custom.show", value="lines")
            shown.override_by_name(query.legend, [line])
    return shown


def _cell_properties(query: Query) -> list[model.DynamicConfigValue]:
    properties: dict[str, object] = {"unit": query.unit} if query.unit else {}
    if query.thresholds:
        steps = [{"value": t.value, "color": t.severity.value} for t in query.thresholds]
        properties["thresholds"] = {"mode": "absolute", "steps": steps}
        properties["custom.cellOptions"] = _COLORED_CELL
    return [
        model.DynamicConfigValue(id_val=name, value=value) for name, value in properties.items()
    ]


def _join(panel: Panel) -> list[model.DataTransformerConfig]:
    """One row for what the queries' labels have in common; each column gets its legend."""
    # Grafana names the value of a single query "Value", those of several "Value #A", "Value #B" …
    names = {
        f"Value #{letter}" if len(panel.queries) > 1 else "Value": query.legend
        for letter, query in zip(ascii_uppercase, panel.queries, strict=False)
    }
    order = {panel.by: 0, **{name: index for index, name in enumerate(names, start=1)}}
    hidden = {"Time": True, **({panel.order: True} if panel.order else {})}
    organize = {"excludeByName": hidden, "renameByName": names, "indexByName": order}
    sort: dict[str, object] = {"field": panel.order}
    if panel.worst_first:
        sort = {"field": list(names)[-1], "desc": True}
    return [
        model.DataTransformerConfig(id_val="merge", options={}),
        *([_sort_by(sort)] if sort["field"] else []),
        model.DataTransformerConfig(id_val="organize", options=organize),
    ]


def _sort_by(field: dict[str, object]) -> model.DataTransformerConfig:
    return model.DataTransformerConfig(id_val="sortBy", options={"sort": [field]})


def _series(x: str, y: str) -> xychart.XYSeriesConfig:
    return (
        xychart.XYSeriesConfig()
        .name(xychart.XychartXYSeriesConfigName().fixed(y))
        .x(xychart.XychartXYSeriesConfigX().matcher(_by_name(x)))
        .y(xychart.XychartXYSeriesConfigY().matcher(_by_name(y)))
    )


def _by_name(name: str) -> xychart.MatcherConfig:
    return xychart.MatcherConfig().id("byName").options(name)


def _legend() -> common.VizLegendOptions:
    return (
        common.VizLegendOptions()
        .show_legend(True)
        .display_mode(kinds.LegendDisplayMode.LIST)
        .placement(kinds.LegendPlacement.BOTTOM)
    )
