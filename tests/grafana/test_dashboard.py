"""Every dashboard: what its file in panels/ promises is in the JSON, and Grafana can read it."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from grafana import generate
from grafana.cloud.verify import panel_queries
from grafana.panels import dashboards
from grafana.render import render
from grafana.sdk import JSONEncoder, model
from telemetry.metrics import METRICS, Kind
from tests.grafana.conftest import read_dashboard

Json = dict[str, Any]

NAMES = list(dashboards())
CONTENTS = {name: read_dashboard(name) for name in NAMES}
OVERVIEW = CONTENTS["overview"]
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
a_dashboard = pytest.mark.parametrize("name", NAMES)
a_panel = pytest.mark.parametrize(
    "panel",
    [
        pytest.param(panel, id=f"{name}: {panel['title']}")
        for name, content in CONTENTS.items()
        for panel in content["panels"]
    ],
)


def test_panels_of_the_overview_are_the_eight_in_order() -> None:
    """The eight panels that people know, in this order."""
    assert [panel["title"] for panel in OVERVIEW["panels"]] == TITLES


@a_dashboard
def test_panels_fill_the_grid_in_reading_order(name: str) -> None:
    """Two columns, no overlap, the order of the table left to right and down."""
    panels = CONTENTS[name]["panels"]
    places = [(panel["gridPos"]["y"], panel["gridPos"]["x"]) for panel in panels]

    assert places == sorted(places)
    assert len(set(places)) == len(panels)
    assert all(panel["gridPos"]["x"] + panel["gridPos"]["w"] <= 24 for panel in panels)


@a_panel
def test_panel_says_what_it_shows_and_when_it_is_serious(panel: Json) -> None:
    """A description for a reader, a unit, and thresholds of at least two colours."""
    defaults = panel["fieldConfig"]["defaults"]
    steps = defaults["thresholds"]["steps"]
    values = [step["value"] for step in steps[1:]]

    assert len(panel["description"].split()) >= 15
    assert defaults["unit"]
    assert steps[0]["value"] is None
    assert values and values == sorted(values)
    assert len({step["color"] for step in steps}) >= 2


@a_panel
def test_panel_asks_the_provisioned_data_source(panel: Json) -> None:
    """The panel and each of its queries name the data source by its fixed uid."""
    source = {"type": "prometheus", "uid": "prometheus"}

    assert panel["datasource"] == source
    assert panel["targets"]
    assert all(target["datasource"] == source for target in panel["targets"])


@a_panel
def test_panel_obeys_the_variables(panel: Json) -> None:
    """Each query is narrowed by instance and by version."""
    for target in panel["targets"]:
        assert 'instance=~"$instance"' in target["expr"]
        assert 'version=~"$version"' in target["expr"]


@a_dashboard
def test_variables_are_lists_with_all(name: str) -> None:
    """Version and instance take several values or all of them; the window is one of a few."""
    variables = {v["name"]: v for v in CONTENTS[name]["templating"]["list"]}

    assert list(variables) == ["version", "instance", "window"]
    for listed in ("version", "instance"):
        assert variables[listed]["multi"] and variables[listed]["includeAll"]
        assert variables[listed]["allValue"] == ".+"
        assert variables[listed]["current"]["value"] == ["$__all"]
    assert variables["window"]["current"]["value"] == "5m"


@a_dashboard
def test_queries_ask_for_metrics_of_the_contract_only(name: str) -> None:
    """Every metric and label in a query is in the table of `telemetry`."""
    known = {"version", "instance", "job", "role", "le"} | {
        label for metric in METRICS for label in metric.labels
    }
    names = set()
    for metric in METRICS:
        histogram = metric.kind is Kind.HISTOGRAM
        names |= (
            {f"{metric.exposed}{end}" for end in ("_bucket", "_sum", "_count")}
            if histogram
            else {metric.exposed}
        )

    for query in panel_queries(CONTENTS[name]):
        assert set(re.findall(r"(\w+)\{", query.expression)) <= names
        assert set(re.findall(r"[{ ](\w+)(?:=~|!~|!=|=)\"", query.expression)) <= known


@a_dashboard
def test_json_survives_the_sdk(name: str) -> None:
    """The SDK reads the committed JSON as a dashboard and writes the same again."""
    read = model.Dashboard.from_json(CONTENTS[name])

    assert json.loads(json.dumps(read, cls=JSONEncoder)) == CONTENTS[name]


@a_dashboard
def test_references_are_unique_in_each_panel(name: str) -> None:
    """Panel ids are unique in the dashboard, refIds in each panel."""
    panels = CONTENTS[name]["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels)
    for panel in panels:
        references = [target["refId"] for target in panel["targets"]]
        assert len(set(references)) == len(references)


def test_exemplars_are_asked_once_for_response_times() -> None:
    """One query of the response times brings the dots that lead to traces."""
    asked = [t["expr"] for panel in OVERVIEW["panels"] for t in panel["targets"] if t["exemplar"]]

    assert len(asked) == 1
    assert "http_request_duration_seconds_bucket" in asked[0]


def test_import_file_asks_for_the_data_source() -> None:
    """`grafana_dashboard.json` names no uid of ours: Grafana asks, and fills every place in."""
    text = (generate.ROOT / generate.IMPORTED).read_text(encoding="utf-8")
    content = json.loads(text)
    uids = re.findall(r'"uid": "([^"]+)"', text)

    assert [one["name"] for one in content["__inputs"]] == ["DS_PROMETHEUS"]
    assert set(uids) == {"${DS_PROMETHEUS}", dashboards()["overview"].uid}
    assert {one["type"] for one in content["panels"]} == {
        one["id"] for one in content["__requires"] if one["type"] == "panel"
    }


def test_push_interval_is_given_to_each_query() -> None:
    """For a source that does not know the interval, every query carries it."""
    content = render(dashboards()["overview"], datasource_uid="somewhere", push_interval="1m")

    targets = [target for panel in content["panels"] for target in panel["targets"]]
    assert {target["interval"] for target in targets} == {"1m"}
    assert {target["datasource"]["uid"] for target in targets} == {"somewhere"}
    window = content["templating"]["list"][2]
    assert window["query"] == "5m,15m,1h,6h"
    assert window["current"]["value"] == "5m"


@a_dashboard
def test_table_is_what_is_rendered(name: str) -> None:
    """Titles, legends and expressions of the table arrive unchanged."""
    panels = dashboards()[name].panels
    rows = [(p.title, q.legend, q.expression) for p in panels for q in p.queries]

    assert [(q.panel, q.legend, q.expression) for q in panel_queries(CONTENTS[name])] == rows
