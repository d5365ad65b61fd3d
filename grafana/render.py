"""A declared dashboard as Grafana's JSON, by the Foundation SDK."""

from __future__ import annotations

import json
from collections.abc import Sequence
from string import ascii_uppercase
from typing import Any

from grafana.dashboard import Dashboard, Panel, Query
from grafana.sdk import (
    JSONEncoder,
    PromQueryFormat,
    bargauge,
    build,
    common,
    kinds,
    model,
    prometheus,
    timeseries,
)

FOLDER_UID = "fraud-detection"
FOLDER_TITLE = "Fraud detection"
LOCAL_DATASOURCE = "prometheus"  # the uid in provisioning/datasources/datasources.yml
EVERYTHING = ".+"
# How Grafana's editor of variables marks a query for a label's values.
VARIABLE_QUERY = "PrometheusVariableQueryEditor-VariableQuery"
LABEL_VALUES = 1
WINDOWS = ("1m", "5m", "15m", "1h", "6h")  # the first needs more than one sample a minute
DEFAULT_WINDOW = "5m"

Json = dict[str, Any]


def render(
    dashboard: Dashboard, datasource_uid: str = LOCAL_DATASOURCE, push_interval: str = ""
) -> Json:
    """The dashboard as Grafana's JSON (classic schema).

    `push_interval` ("1m") is for data sources that do not know how often series get a sample: it
    keeps the rate windows long enough, and leaves out the window that would be too short.
    """
    source = kinds.DataSourceRef(type_val="prometheus", uid=datasource_uid)
    board = (
        build.Dashboard(dashboard.title)
        .uid(dashboard.uid)
        .description(
            "Generated from grafana/panels/ by `python -m grafana generate`: change it there."
        )
        .tags(["fraud-detection", "generated"])
        .timezone("browser")
        .time("now-30m", "now")
        .refresh("15s")
        .tooltip(model.DashboardCursorSync.CROSSHAIR)
        .with_variable(_version(source))
        .with_variable(_instance(source))
        .with_variable(_window(WINDOWS[1:] if push_interval else WINDOWS))
    )
    for number, panel in enumerate(dashboard.panels, start=1):
        board.with_panel(_panel(panel, number, source, push_interval))
    plain: Json = json.loads(json.dumps(board.build(), cls=JSONEncoder))
    return plain


def _version(source: kinds.DataSourceRef) -> build.QueryVariable:
    values = 'label_values(model_version{role="champion"}, version)'
    return _query_variable("version", "Model version", values, source).description(
        "Only instances that served this version"
    )


def _instance(source: kinds.DataSourceRef) -> build.QueryVariable:
    values = 'label_values(model_version{role="champion", version=~"$version"}, instance)'
    return _query_variable("instance", "Instance", values, source).description(
        "One worker of the handler each"
    )


def _query_variable(
    name: str, label: str, values: str, source: kinds.DataSourceRef
) -> build.QueryVariable:
    return (
        build.QueryVariable(name)
        .label(label)
        .datasource(source)
        .query({"query": values, "refId": VARIABLE_QUERY, "qryType": LABEL_VALUES})
        .definition(values)
        .refresh(model.VariableRefresh.ON_TIME_RANGE_CHANGED)
        .sort(model.VariableSort.ALPHABETICAL_ASC)
        .multi(True)
        .include_all(True)
        .all_value(EVERYTHING)
        .current(model.VariableOption(selected=True, text=["All"], value=["$__all"]))
    )


def _window(windows: Sequence[str]) -> build.IntervalVariable:
    options = [
        model.VariableOption(selected=window == DEFAULT_WINDOW, text=window, value=window)
        for window in windows
    ]
    return (
        build.IntervalVariable("window")
        .label("Smoothed over")
        .description("Time over which shares and response times are taken")
        .values(",".join(windows))
        .options(options)
        .current(options[windows.index(DEFAULT_WINDOW)])
    )


def _panel(
    panel: Panel, number: int, source: kinds.DataSourceRef, push_interval: str
) -> timeseries.Panel | bargauge.Panel:
    shown = _bars() if panel.distribution else _lines()
    shown.id(number).title(panel.title).description(panel.why).datasource(source)
    shown.unit(panel.unit).thresholds(_thresholds(panel)).min(0)
    shown.height(8).span(12)
    if panel.top is not None:
        shown.max(panel.top)
    for letter, query in zip(ascii_uppercase, panel.queries, strict=False):
        target = _target(query, letter, source, panel.distribution)
        if push_interval:
            target.interval(push_interval)
        shown.with_target(target)
    return shown


def _lines() -> timeseries.Panel:
    return (
        timeseries.Panel()
        .line_width(2)
        .fill_opacity(8)
        .show_points(kinds.VisibilityMode.NEVER)
        .thresholds_style(
            common.GraphThresholdsStyleConfig().mode(kinds.GraphThresholdsStyleMode.DASHED)
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


def _bars() -> bargauge.Panel:
    return (
        bargauge.Panel()
        .orientation(kinds.VizOrientation.HORIZONTAL)
        .display_mode(kinds.BarGaugeDisplayMode.BASIC)
        .reduce_options(common.ReduceDataOptions().calcs(["lastNotNull"]).values(False))
    )


def _thresholds(panel: Panel) -> build.ThresholdsConfig:
    steps = [model.Threshold(value=t.value, color=t.severity.value) for t in panel.thresholds]
    return build.ThresholdsConfig().mode(model.ThresholdsMode.ABSOLUTE).steps(steps)


def _target(
    query: Query, letter: str, source: kinds.DataSourceRef, distribution: bool
) -> prometheus.Dataquery:
    target = (
        prometheus.Dataquery()
        .ref_id(letter)
        .expr(query.expression)
        .legend_format(query.legend)
        .datasource(source)
        .exemplar(query.exemplars)
    )
    if distribution:
        # As a heatmap, Grafana turns the cumulative buckets into one bar each.
        return target.format(PromQueryFormat.HEATMAP).instant()
    return target.format(PromQueryFormat.TIME_SERIES).range()
