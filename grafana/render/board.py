"""The whole dashboard: settings, variables, annotations, links, and panels in their places."""

from __future__ import annotations

import json
from typing import Any

from grafana.dashboard import Dashboard, Section
from grafana.one_service import select_job
from grafana.render.panels import render_panel
from grafana.render.source import SOURCE
from grafana.render.variables import render_variables
from grafana.sdk import JSONEncoder, build, model

TAG = "fraud-detection"
FOLDER_UID = "fraud-detection"
FOLDER_TITLE = "Fraud detection"
FIRST_HEADING = 1000  # ids of headings, far from those of panels
MENU = "inControlsMenu"
EVENT_STEP = "1m"  # of the annotations, and how long an event is marked
ALERTS_FIRING = select_job('ALERTS{alertstate="firing", severity=~"page|ticket"}')
NEW_VERSION = select_job(
    'count by (version) (model_version{role="champion"}) '
    f'unless count by (version) (model_version{{role="champion"}} offset {EVENT_STEP})'
)

Json = dict[str, Any]


def render(dashboard: Dashboard, datasource_uid: str = "", push_interval: str = "") -> Json:
    """The dashboard as Grafana's JSON.

    The data source is a variable: the default one, or the one named. `push_interval` ("1m") is for
    data sources that do not know how often series get a sample: it keeps the rate windows long
    enough, and leaves out the window that would be too short.
    """
    board = (
        build.Dashboard(dashboard.title)
        .uid(dashboard.uid)
        .description(
            f"{dashboard.question} Generated from grafana/panels/ by `make generate`: "
            "change it there."
        )
        .tags([TAG, "generated"])
        .timezone("browser")
        .time(f"now-{dashboard.time}", "now")
        .refresh(dashboard.refresh)
        .tooltip(model.DashboardCursorSync.CROSSHAIR)
        .link(_links())
        .annotation(_annotation("Alerts", ALERTS_FIRING, "{{alertname}}", "red"))
        .annotation(_annotation("New model", NEW_VERSION, "model {{version}}", "blue"))
    )
    for variable in render_variables(dashboard.variables, datasource_uid, push_interval):
        board.with_variable(variable)
    for number, section in enumerate(dashboard.sections, start=1):
        _add_section(board, section, FIRST_HEADING + number, push_interval)
    plain: Json = without_defaults(json.loads(json.dumps(board.build(), cls=JSONEncoder)))
    return plain


def without_defaults(content: Any) -> Any:
    """The content without two defaults of the SDK: one hides links and annotations in a menu, one
    is a table's footer, which Grafana has taken out of its options."""
    if isinstance(content, dict):
        inner = {name: without_defaults(value) for name, value in content.items()}
        return {name: value for name, value in inner.items() if not _is_default(name, value)}
    if isinstance(content, list):
        return [without_defaults(each) for each in content]
    return content


def _is_default(name: str, value: Any) -> bool:
    if name == "footer":
        return not value.get("show")
    return name == "placement" and bool(value == MENU)


def panels_of(content: Json) -> list[Json]:
    """Every panel of a rendered dashboard, headings left out, in reading order."""
    found: list[Json] = []
    for panel in content["panels"]:
        found += panel.get("panels") or [] if panel["type"] == "row" else [panel]
    return found


def _add_section(board: build.Dashboard, section: Section, id: int, push_interval: str) -> None:
    row = build.Row(section.title).id(id).collapsed(section.collapsed)
    panels = [render_panel(panel, push_interval) for panel in section.panels]
    if section.collapsed:
        for panel in panels:
            row.with_panel(panel)
    board.with_row(row)
    if not section.collapsed:
        for panel in panels:
            board.with_panel(panel)


def _links() -> build.DashboardLink:
    """The other dashboards, with the time and the variables that are chosen here."""
    return (
        build.DashboardLink("Dashboards")
        .type(model.DashboardLinkType.DASHBOARDS)
        .tags([TAG])
        .include_vars(True)
        .keep_time(True)
    )


def _annotation(name: str, expression: str, title: str, color: str) -> build.AnnotationQuery:
    return (
        build.AnnotationQuery()
        .name(name)
        .datasource(SOURCE)
        .enable(True)
        .expr(expression)
        .step(EVENT_STEP)
        .title_format(title)
        .icon_color(color)
    )
