"""What matters now in the terminal: the Overview's row, its queries, limits and order."""

from __future__ import annotations

import json
from collections.abc import Callable
from urllib.parse import parse_qs

import pytest

from prometheus.client.query import Prometheus
from stack.monitoring.http import local_client
from stack.monitoring.overview import DASHBOARD, describe_now, format_value
from tests.lab.http_server import QuietHandler, serve
from tests.lab.paths import ROOT

Answer = Callable[[str], list[tuple[dict[str, str], float]]]
ROW = [panel for panel in json.loads((ROOT / DASHBOARD).read_text())["panels"] if panel["id"] > 10]
TITLES = [panel["title"] for panel in ROW if panel["type"] == "stat"]


def ask(answer: Answer) -> list[str]:
    """The lines, with a Prometheus that gives these series for an expression."""

    class Api(QuietHandler):
        def do_POST(self) -> None:
            [expression] = parse_qs(self.body().decode())["query"]
            result = [
                {"metric": labels, "value": [0, str(value)]} for labels, value in answer(expression)
            ]
            content = {"status": "success", "data": {"resultType": "vector", "result": result}}
            self.answer(200, json.dumps(content).encode())

    with serve(Api) as server:
        return describe_now(ROOT, Prometheus(local_client(server.url)), "loans")


def test_row_has_the_panels_of_the_overview_in_their_order() -> None:
    lines = ask(lambda expression: [({}, 0.5)])
    assert len(TITLES) == 8
    assert [line.split("  ")[0] for line in lines] == TITLES


def test_variables_are_filled_in() -> None:
    asked: list[str] = []

    def note(expression: str) -> list[tuple[dict[str, str], float]]:
        asked.append(expression)
        return []

    ask(note)
    assert len(asked) == 8 and not [each for each in asked if "$" in each]
    assert all('job="loans"' in each or 'job=~"loans|' in each for each in asked)


@pytest.mark.parametrize(
    ("title", "value", "end"),
    [
        ("Firing", 0.0, "0"),
        ("Firing", 2.0, "2  act"),
        ("Scored/s", 0.0, "0.00/s  act"),
        ("P95", 0.0074, "7.4 ms"),
        ("P95", 0.3, "300.0 ms  watch"),
        ("Drift, of the limit", 1.32, "132 %  act"),
        ("Drift, of the limit", float("nan"), "(Fewer transactions came than a comparison needs)"),
    ],
)
def test_figure_has_its_unit_and_the_limits_of_the_panel(
    title: str, value: float, end: str
) -> None:
    lines = ask(lambda expression: [({}, value)])
    [line] = [line for line in lines if line.startswith(title)]
    assert line.endswith(end)


def test_worst_of_several_series_says_what_to_do() -> None:
    """Two versions serve, one of them is stale: both are named."""
    ages = [({"version": "1-aa"}, 5e6), ({"version": "2-bb"}, 7200.0)]
    last = ask(lambda expression: ages)[-1]
    assert last == "Model, trained ago         57.9 d (1-aa), 2.0 h (2-bb)  watch"


def test_dead_prometheus_is_said() -> None:
    prometheus = Prometheus(local_client("http://127.0.0.1:1"))
    assert describe_now(ROOT, prometheus, "loans") == ["unknown: Prometheus does not answer"]


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (0.0, "s", "0.0 ms"),
        (59.9, "s", "59.9 s"),
        (90.0, "s", "1.5 min"),
        (-90.0, "s", "-1.5 min"),
        (12345.0, "short", "1.23e+04"),
        (3.0, "short", "3"),
        (-0.2, "percentunit", "-20 %"),
    ],
)
def test_value_is_written_in_its_unit(value: float, unit: str, text: str) -> None:
    assert format_value(value, unit) == text
