"""The Overview dashboard: what the table promises is in the JSON, and Grafana can read it."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from grafana import __main__ as cli
from grafana import dashboard, generate
from grafana.cloud.verify import panel_queries
from grafana.panels.overview import OVERVIEW
from grafana.sdk import JSONEncoder, model
from telemetry.metrics import METRICS, Kind

OVERVIEW_JSON: dict[str, Any] = json.loads(
    (generate.ROOT / generate.PROVISIONED).read_text(encoding="utf-8")
)
PANELS: list[dict[str, Any]] = OVERVIEW_JSON["panels"]
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
a_panel = pytest.mark.parametrize("panel", PANELS, ids=[panel["title"] for panel in PANELS])


def test_generated_files_are_current() -> None:
    """`python -m grafana generate` would change nothing in the tree."""
    assert generate.outdated() == []


def test_a_file_changed_by_hand_is_outdated(tmp_path: Path) -> None:
    """What somebody edited in the JSON is found, and written over by the next generation."""
    generate.write(tmp_path)
    edited = tmp_path / generate.PROVISIONED
    edited.write_text(edited.read_text(encoding="utf-8").replace("Queue Size", "Queue"))

    assert generate.outdated(tmp_path) == [generate.PROVISIONED]
    assert generate.write(tmp_path) == [generate.PROVISIONED]
    assert generate.outdated(tmp_path) == []


def test_check_names_what_is_outdated_and_what_to_do(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """`python -m grafana check` fails with the file's name and the word that mends it."""
    monkeypatch.setattr(generate, "rendered", lambda: {generate.PROVISIONED: "else"})

    assert cli.main(["check"]) == 1
    assert capsys.readouterr().out == (
        "grafana/dashboards/overview.json is not current: run `python -m grafana generate`\n"
    )


def test_panels_are_the_eight_in_order() -> None:
    """The eight panels that people know, in this order."""
    assert [panel["title"] for panel in PANELS] == TITLES


def test_panels_fill_the_grid_in_reading_order() -> None:
    """Two columns, no overlap, the order of the table left to right and down."""
    places = [(panel["gridPos"]["y"], panel["gridPos"]["x"]) for panel in PANELS]

    assert places == sorted(places)
    assert len(set(places)) == len(PANELS)
    assert all(panel["gridPos"]["x"] + panel["gridPos"]["w"] <= 24 for panel in PANELS)


@a_panel
def test_panel_says_what_it_shows_and_when_it_is_serious(panel: dict[str, Any]) -> None:
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
def test_panel_asks_the_provisioned_data_source(panel: dict[str, Any]) -> None:
    """The panel and each of its queries name the data source by its fixed uid."""
    source = {"type": "prometheus", "uid": "prometheus"}

    assert panel["datasource"] == source
    assert panel["targets"]
    assert all(target["datasource"] == source for target in panel["targets"])


@a_panel
def test_panel_obeys_the_variables(panel: dict[str, Any]) -> None:
    """Each query is narrowed by instance and by version."""
    for target in panel["targets"]:
        assert 'instance=~"$instance"' in target["expr"]
        assert 'version=~"$version"' in target["expr"]


def test_variables_are_lists_with_all() -> None:
    """Version and instance take several values or all of them; the window is one of a few."""
    variables = {v["name"]: v for v in OVERVIEW_JSON["templating"]["list"]}

    assert list(variables) == ["version", "instance", "window"]
    for name in ("version", "instance"):
        assert variables[name]["multi"] and variables[name]["includeAll"]
        assert variables[name]["allValue"] == ".+"
        assert variables[name]["current"]["value"] == ["$__all"]
    assert variables["window"]["current"]["value"] == "5m"


def test_queries_ask_for_metrics_of_the_contract_only() -> None:
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

    for query in panel_queries(OVERVIEW_JSON):
        assert set(re.findall(r"(\w+)\{", query.expression)) <= names
        assert set(re.findall(r"[{ ](\w+)(?:=~|!~|!=|=)\"", query.expression)) <= known


def test_json_survives_the_sdk() -> None:
    """The SDK reads the committed JSON as a dashboard and writes the same again."""
    read = model.Dashboard.from_json(OVERVIEW_JSON)

    assert json.loads(json.dumps(read, cls=JSONEncoder)) == OVERVIEW_JSON


def test_references_are_unique_in_each_panel() -> None:
    """Panel ids are unique in the dashboard, refIds in each panel."""
    assert len({panel["id"] for panel in PANELS}) == len(PANELS)
    for panel in PANELS:
        references = [target["refId"] for target in panel["targets"]]
        assert len(set(references)) == len(references)


def test_exemplars_are_asked_once_for_response_times() -> None:
    """One query of the response times brings the dots that lead to traces."""
    asked = [t["expr"] for panel in PANELS for t in panel["targets"] if t["exemplar"]]

    assert len(asked) == 1
    assert "http_request_duration_seconds_bucket" in asked[0]


def test_import_file_asks_for_the_data_source() -> None:
    """`grafana_dashboard.json` names no uid of ours: Grafana asks, and fills every place in."""
    text = (generate.ROOT / generate.IMPORTED).read_text(encoding="utf-8")
    content = json.loads(text)
    uids = re.findall(r'"uid": "([^"]+)"', text)

    assert [one["name"] for one in content["__inputs"]] == ["DS_PROMETHEUS"]
    assert set(uids) == {"${DS_PROMETHEUS}", dashboard.UID}
    assert {one["type"] for one in content["panels"]} == {
        one["id"] for one in content["__requires"] if one["type"] == "panel"
    }


def test_push_interval_is_given_to_each_query() -> None:
    """For a source that does not know the interval, every query carries it."""
    board = dashboard.overview(datasource_uid="somewhere", push_interval="1m")

    targets = [target for panel in board["panels"] for target in panel["targets"]]
    assert {target["interval"] for target in targets} == {"1m"}
    assert {target["datasource"]["uid"] for target in targets} == {"somewhere"}
    window = board["templating"]["list"][2]
    assert window["query"] == "5m,15m,1h,6h"
    assert window["current"]["value"] == "5m"


def test_command_line_checks(capsys: pytest.CaptureFixture[str]) -> None:
    """`python -m grafana check` is silent and 0 in a current tree."""
    assert cli.main(["check"]) == 0
    assert capsys.readouterr().out == ""


def test_table_is_what_is_rendered() -> None:
    """Titles, legends and expressions of the table arrive unchanged."""
    rows = [(p.title, q.legend, q.expression) for p in OVERVIEW for q in p.queries]

    assert [(q.panel, q.legend, q.expression) for q in panel_queries(OVERVIEW_JSON)] == rows
