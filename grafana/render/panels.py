"""One panel: what all kinds have, then what its kind adds."""

from __future__ import annotations

from collections.abc import Callable
from string import ascii_uppercase

from grafana.dashboard import Kind, Panel, Query, Threshold
from grafana.render.cells import bars, scatter, table
from grafana.render.numbers import histogram, stat
from grafana.render.series import heatmap, lines, stack, states
from grafana.render.source import SOURCE
from grafana.sdk import (
    PromQueryFormat,
    barchart,
    bargauge,
    build,
    model,
    prometheus,
    statetimeline,
    timeseries,
    xychart,
)
from grafana.sdk import heatmap as heatmap_panel
from grafana.sdk import stat as stat_panel
from grafana.sdk import table as table_panel

PanelBuilder = (
    barchart.Panel
    | bargauge.Panel
    | heatmap_panel.Panel
    | stat_panel.Panel
    | statetimeline.Panel
    | table_panel.Panel
    | timeseries.Panel
    | xychart.Panel
)
_BUILDERS: dict[Kind, Callable[[Panel], PanelBuilder]] = {
    Kind.LINES: lines,
    Kind.STACK: stack,
    Kind.HISTOGRAM: histogram,
    Kind.STAT: stat,
    Kind.TABLE: table,
    Kind.BARS: bars,
    Kind.SCATTER: scatter,
    Kind.HEATMAP: heatmap,
    Kind.STATES: states,
}
_INSTANT = frozenset({Kind.HISTOGRAM, Kind.TABLE, Kind.BARS, Kind.SCATTER})
_FORMATS = {
    # As a heatmap, Grafana turns the cumulative buckets into one bar (or cell) each.
    Kind.HISTOGRAM: PromQueryFormat.HEATMAP,
    Kind.HEATMAP: PromQueryFormat.HEATMAP,
    Kind.TABLE: PromQueryFormat.TABLE,
    Kind.BARS: PromQueryFormat.TABLE,
    Kind.SCATTER: PromQueryFormat.TABLE,
}


def render_panel(panel: Panel, push_interval: str) -> PanelBuilder:
    """The panel with its queries; see `grafana.render.board.render` for `push_interval`."""
    shown = _BUILDERS[panel.kind](panel)
    shown.id(panel.id).title(panel.title).description(_describe(panel)).datasource(SOURCE)
    shown.unit(panel.unit).thresholds(render_thresholds(panel.thresholds))
    shown.no_value(panel.empty).height(panel.height).span(panel.width)
    if panel.top is not None:
        shown.max(panel.top)
    if panel.then:
        shown.links([_link(panel.then)])
    for letter, query in zip(ascii_uppercase, panel.queries, strict=False):
        target = _target(query, letter, panel.kind)
        if push_interval:
            target.interval(push_interval)
        shown.with_target(target)
    return shown


def render_thresholds(thresholds: tuple[Threshold, ...]) -> build.ThresholdsConfig:
    """Without any, everything is green."""
    steps = [model.Threshold(value=t.value, color=t.severity.value) for t in thresholds]
    none = [model.Threshold(value=None, color="green")]
    return build.ThresholdsConfig().mode(model.ThresholdsMode.ABSOLUTE).steps(steps or none)


def _describe(panel: Panel) -> str:
    runbooks = ", ".join(f"{alert} (docs/runbooks/{alert}.md)" for alert in panel.alerts)
    return f"{panel.why} Alerts: {runbooks}." if runbooks else panel.why


def _link(uid: str) -> build.DashboardLink:
    """To the dashboard where one looks next, with the time and the variables of here."""
    return (
        build.DashboardLink("Look closer")
        .type(model.DashboardLinkType.LINK)
        .url(f"/d/{uid}?${{__url_time_range}}&${{__all_variables}}")
    )


def _target(query: Query, letter: str, kind: Kind) -> prometheus.Dataquery:
    target = (
        prometheus.Dataquery()
        .ref_id(letter)
        .expr(query.expression)
        .legend_format(query.legend)
        .datasource(SOURCE)
        .exemplar(query.exemplars)
        .format(_FORMATS.get(kind, PromQueryFormat.TIME_SERIES))
    )
    return target.instant() if kind in _INSTANT else target.range()
