"""Every dashboard: what its file in panels/ promises is in the JSON, and Grafana can read it."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterator
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest
import yaml

from grafana import generate, limits
from grafana.dashboard import Dashboard, Line, Panel, Query
from grafana.panels import dashboards
from grafana.promql import RATE_INTERVAL
from grafana.render.board import panels_of, render, without_defaults
from grafana.sdk import JSONEncoder, model
from telemetry.metrics import METRICS, Kind
from tests.grafana.conftest import read_dashboard

Json = dict[str, Any]

DASHBOARDS = dashboards()
CONTENTS = {name: read_dashboard(name) for name in DASHBOARDS}
SOURCE = {"type": "prometheus", "uid": "${datasource}"}
TITLES = [
    "Predictions/sec",
    "Fraud Detection Rate",
    "Response Time (P50, P95, P99)",
    "Model Quality (Accuracy, Precision, Recall, F1)",
    "System Resources (CPU, Memory, Disk)",
    "Transaction Values (distribution)",
    "Error Rate",
    "Queue Size",
]
# What the Collector, Prometheus and Alertmanager count themselves.
OF_OTHERS = re.compile(r"up|ALERTS|otelcol_\w+|prometheus_\w+|alertmanager_\w+")
a_dashboard = pytest.mark.parametrize("name", DASHBOARDS)
a_panel = pytest.mark.parametrize(
    "panel",
    [
        pytest.param(panel, id=f"{name}: {panel['title']}")
        for name, content in CONTENTS.items()
        for panel in panels_of(content)
    ],
)


def declared() -> Iterator[tuple[Dashboard, Panel, Query]]:
    """Every query of every panel of every dashboard."""
    for dashboard in DASHBOARDS.values():
        for panel in dashboard.panels:
            for query in panel.queries:
                yield dashboard, panel, query


def exposed() -> set[str]:
    """Series of the handlers, by name."""
    names = set()
    for metric in METRICS:
        parts = ("_bucket", "_sum", "_count") if metric.kind is Kind.HISTOGRAM else ("",)
        names |= {f"{metric.exposed}{part}" for part in parts}
    return names


def rules() -> list[Json]:
    """Every recording rule and alert."""
    files = (generate.ROOT / "prometheus" / "rules").glob("*.yml")
    groups = [group for file in files for group in yaml.safe_load(file.read_text())["groups"]]
    return [rule for group in groups for rule in group["rules"]]


ALERTS = {rule["alert"] for rule in rules() if "alert" in rule}
KNOWN = exposed() | {rule["record"] for rule in rules() if "record" in rule}


def names_in(expression: str) -> set[str]:
    """Metrics that an expression reads: its words without texts, labels, functions, durations."""
    bare = re.sub(r'"[^"]*"', "", expression)
    bare = re.sub(r"\{[^}]*\}|\[[^]]*\]", " ", bare)
    bare = re.sub(r"\b(by|on|group_left|without) \([^)]*\)", " ", bare)
    words = re.findall(r"(?<![\w:.])[a-zA-Z_][\w:]*(?!\s*\(|[\w:])", bare)
    return set(words) - {"and", "or", "unless", "bool", "offset", "by", "on", "group_left"}


def test_known_panels_of_the_overview_are_the_eight_in_order() -> None:
    """The eight panels that people know, in this order, with the ids that links to them hold."""
    known = [panel for panel in panels_of(CONTENTS["overview"]) if panel["id"] <= 8]

    assert [(panel["id"], panel["title"]) for panel in known] == list(enumerate(TITLES, start=1))


@a_dashboard
def test_no_panel_covers_another(name: str) -> None:
    places = [panel["gridPos"] for panel in panels_of(CONTENTS[name])]

    assert all(place["x"] + place["w"] <= 24 for place in places)
    for one, other in combinations(places, 2):
        beside = one["x"] + one["w"] <= other["x"] or other["x"] + other["w"] <= one["x"]
        below = one["y"] + one["h"] <= other["y"] or other["y"] + other["h"] <= one["y"]
        assert beside or below, (one, other)


@a_panel
def test_panel_says_what_it_shows_and_why_it_may_be_empty(panel: Json) -> None:
    """A description for a reader, a unit, and a sentence in the place of 'No data'."""
    defaults = panel["fieldConfig"]["defaults"]
    values = [step["value"] for step in defaults["thresholds"]["steps"]]

    assert len(panel["description"].split()) >= 15
    assert defaults["unit"]
    assert defaults["noValue"].endswith(".")
    assert values[0] is None and values[1:] == sorted(values[1:])


@a_panel
def test_panel_asks_the_chosen_data_source(panel: Json) -> None:
    """No uid is in the JSON: the variable says which Prometheus is asked."""
    assert panel["datasource"] == SOURCE
    assert panel["targets"]
    assert all(target["datasource"] == SOURCE for target in panel["targets"])


@pytest.mark.parametrize(
    ("dashboard", "panel", "query"),
    [pytest.param(*each, id=f"{each[0].uid}: {each[2].legend}") for each in declared()],
)
def test_query_obeys_the_variables(dashboard: Dashboard, panel: Panel, query: Query) -> None:
    """Where one can choose instances, what handlers send is narrowed by them; a recorded series is
    of the whole service, has no instance, and would be empty if it were."""
    assert ("$instance" in query.expression) <= ("instance" in dashboard.variables)
    recorded = any(":" in name for name in names_in(query.expression))
    assert not (recorded and "$instance" in query.expression)
    if "$instance" in query.expression:
        assert 'version=~"$version"' in query.expression


@a_dashboard
def test_every_variable_is_used(name: str) -> None:
    whole = json.dumps(CONTENTS[name])
    names = [variable["name"] for variable in CONTENTS[name]["templating"]["list"]]

    assert names == ["datasource", *DASHBOARDS[name].variables]
    assert [name for name in names if not re.search(rf"\$\{{?{name}\b", whole)] == []


def test_variables_are_lists_with_all() -> None:
    """Version and instance take several values or all of them; the window follows the interval
    unless one is chosen."""
    variables = {v["name"]: v for v in CONTENTS["overview"]["templating"]["list"]}

    for listed in ("version", "instance"):
        assert variables[listed]["multi"] and variables[listed]["includeAll"]
        assert variables[listed]["allValue"] == ".+"
        assert variables[listed]["current"]["value"] == ["$__all"]
    assert variables["window"]["current"]["value"] == RATE_INTERVAL
    assert variables["datasource"]["current"]["value"] == "default"


@pytest.mark.parametrize(
    "query", [pytest.param(each[2], id=f"{each[0].uid}: {each[2].legend}") for each in declared()]
)
def test_query_asks_for_metrics_that_exist(query: Query) -> None:
    """Those of telemetry's table, of the recording rules, or of the programs around them."""
    names = {name for name in names_in(query.expression) if not OF_OTHERS.fullmatch(name)}

    assert names - KNOWN == set()


def test_every_alert_has_a_panel_and_every_panel_s_alert_exists() -> None:
    """A panel names in `alerts` those whose place it is."""
    shown = {
        alert for dashboard in DASHBOARDS.values() for p in dashboard.panels for alert in p.alerts
    }

    assert ALERTS - shown == set(), "name them in `alerts` of the panel that shows their condition"
    assert shown - ALERTS == set()


def test_runbook_that_a_panel_names_exists() -> None:
    text = json.dumps(CONTENTS)
    runbooks = set(re.findall(r"docs/runbooks/\w+\.md", text))

    assert runbooks
    assert [path for path in runbooks if not (generate.ROOT / path).is_file()] == []


def test_links_lead_to_dashboards_that_exist() -> None:
    uids = {dashboard.uid for dashboard in DASHBOARDS.values()}

    assert {p.then for d in DASHBOARDS.values() for p in d.panels} - uids == {""}


PANELS = sorted((generate.ROOT / "grafana" / "panels").glob("*.py"))


@pytest.mark.parametrize("path", PANELS, ids=lambda path: path.stem)
def test_no_limit_is_typed_beside_a_panel(path: Path) -> None:
    """It would stay where it is when the alert's moves; grafana/limits.py reads them all."""
    calls = [
        node
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id in ("rising", "falling", "Threshold")
    ]
    typed = [
        f"{path.name}:{call.lineno} {ast.unparse(call)}"
        for call in calls
        for argument in (*call.args, *(keyword.value for keyword in call.keywords))
        if isinstance(argument, ast.Constant | ast.UnaryOp)
    ]
    assert typed == []


def test_limits_are_those_of_the_alerts() -> None:
    """A few of them, by hand; that they are read and not typed is why they move with the files."""
    queue = next(panel for panel in DASHBOARDS["overview"].panels if panel.id == 8)
    latency = next(panel for panel in DASHBOARDS["overview"].panels if panel.id == 3)
    rate = next(panel for panel in DASHBOARDS["overview"].panels if panel.id == 2)

    assert queue.thresholds[-1].value == limits.thresholds().saturation.queue_size == 50
    assert latency.thresholds[-1].value == limits.promised_seconds() == 0.25
    assert [q.line for q in rate.queries if "alert" in q.legend] == [Line.LIMIT, Line.LIMIT]
    assert limits.promised_age_seconds() == 240
    assert limits.burn_factors("page") == [14.4, 6]


@a_dashboard
def test_json_survives_the_sdk(name: str) -> None:
    """The SDK reads the committed JSON as a dashboard and writes the same again."""
    read = model.Dashboard.from_json(CONTENTS[name])

    assert without_defaults(json.loads(json.dumps(read, cls=JSONEncoder))) == CONTENTS[name]


@a_dashboard
def test_references_are_unique(name: str) -> None:
    """Ids of panels and headings are unique in the dashboard, refIds in each panel."""
    panels = panels_of(CONTENTS[name])
    ids = [panel["id"] for panel in [*panels, *CONTENTS[name]["panels"]]]
    assert len(set(ids)) == len({id(panel) for panel in [*panels, *CONTENTS[name]["panels"]]})
    for panel in panels:
        references = [target["refId"] for target in panel["targets"]]
        assert len(set(references)) == len(references)


def test_exemplars_are_asked_for_response_times() -> None:
    """The dots that lead to traces."""
    asked = [query.expression for _, _, query in declared() if query.exemplars]

    assert len(asked) == 2
    assert all("http_request_duration_seconds_bucket" in expression for expression in asked)


def test_import_file_is_the_overview() -> None:
    """`grafana_dashboard.json` names no data source: Grafana takes its default, one may choose."""
    text = (generate.ROOT / generate.IMPORTED).read_text(encoding="utf-8")

    assert json.loads(text) == CONTENTS["overview"]
    assert set(re.findall(r'"uid": "([^"]+)"', text)) == {"${datasource}", "fraud-overview"}


def test_place_of_the_upload_is_given_to_each_query() -> None:
    """For a source that does not know the interval, every query carries it."""
    content = render(DASHBOARDS["overview"], datasource_uid="somewhere", push_interval="1m")
    variables = {variable["name"]: variable for variable in content["templating"]["list"]}

    assert {t["interval"] for panel in panels_of(content) for t in panel["targets"]} == {"1m"}
    assert variables["datasource"]["current"]["value"] == "somewhere"
    assert variables["window"]["query"] == (
        "auto : $__rate_interval, 5m : 5m, 15m : 15m, 1h : 1h, 6h : 6h"
    )


@a_dashboard
def test_table_is_what_is_rendered(name: str) -> None:
    """Titles, legends and expressions of the table arrive unchanged."""
    panels = DASHBOARDS[name].panels
    rows = [(p.title, q.legend, q.expression) for p in panels for q in p.queries]

    assert [
        (panel["title"], target["legendFormat"], target["expr"])
        for panel in panels_of(CONTENTS[name])
        for target in panel["targets"]
    ] == rows
