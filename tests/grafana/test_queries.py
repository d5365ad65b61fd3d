"""Every query of every panel, asked of a real Prometheus, against what the requests say.

The series are fed with the times of a service that has pushed every 15 s until now.
"""

from __future__ import annotations

import math
import subprocess
from pathlib import Path

import pytest
import yaml

from grafana.cloud.verify import DEFAULTS, choices, verify
from grafana.promql import fill_in
from grafana.render.board import render
from grafana.render.variables import WINDOWS
from telemetry.metrics import EUROS, REQUEST_SECONDS
from tests.grafana.scenario import (
    ALWAYS,
    DASHBOARD,
    DASHBOARDS,
    NEW,
    OLD,
    QUERIES,
    WORKERS,
    Running,
)
from tests.grafana.server import program
from tests.grafana.service import tally

pytestmark = pytest.mark.stack


def test_queries_parse_as_rules(tmp_path: Path) -> None:
    """promtool accepts each query, with its variables filled in."""
    values = {**DEFAULTS, "job": "fraud-handler", "feature": "amount"}
    queries = [q for d in DASHBOARDS.values() for panel in d.panels for q in panel.queries]
    rules = [
        {"record": f"query:{number}", "expr": fill_in(query.expression, values)}
        for number, query in enumerate(queries)
    ]
    path = tmp_path / "queries.yml"
    path.write_text(yaml.safe_dump({"groups": [{"name": "queries", "rules": rules}]}))

    checked = subprocess.run(
        [program("promtool"), "check", "rules", path], capture_output=True, text=True
    )
    assert checked.returncode == 0, checked.stderr
    assert f"{len(rules)} rules found" in checked.stdout


@pytest.mark.parametrize("window", WINDOWS.values())
def test_no_query_is_empty_or_nan(running: Running, window: str) -> None:
    """With each window that the reader can choose; by value there are many."""
    assert set(running.ask(window=window)) >= ALWAYS - {"{{le}} €", "{{version}}"}


def test_predictions_per_second(running: Running) -> None:
    """Transactions scored between the oldest and newest push of the minute, by their distance."""
    scored = tally(running.within(60), 0, running.end)["scored"]

    assert running.ask()["predictions"] == pytest.approx(scored / 45, rel=1e-9)


def test_fraud_detection_rate(running: Running) -> None:
    """Frauds in a hundred scored transactions."""
    found = tally(running.within(300), 0, running.end)

    share = 100 * found["fraud"] / found["scored"]
    assert running.ask(window="5m")["called fraud"] == pytest.approx(share, rel=1e-9)


@pytest.mark.parametrize("share", [0.5, 0.95, 0.99])
def test_response_times(running: Running, share: float) -> None:
    """The quantile lies in the bucket that holds the true one."""
    asked = sorted(one.seconds for one in running.within(300) if one.endpoint == "/predict")
    true = asked[math.ceil(share * len(asked)) - 1]
    upper = next(bound for bound in REQUEST_SECONDS if true <= bound)
    lower = max((bound for bound in REQUEST_SECONDS if bound < true), default=0.0)

    assert lower <= running.ask(window="5m")[f"P{share * 100:.0f}"] <= upper


def test_model_quality_is_the_lowest_of_the_selected(running: Running) -> None:
    """While two versions serve, the worse one shows; chosen alone, each shows its own."""
    assert running.ask()["recall (card)"] == 0.6
    assert running.ask(version=NEW)["recall (card)"] == 0.9
    assert running.ask()["accuracy (card)"] == 0.98


def test_system_resources_are_those_of_the_fullest(running: Running) -> None:
    """Not the mean, in which one full container would vanish, nor the sum."""
    shown = running.ask()

    assert (shown["CPU"], shown["memory"], shown["disk"]) == (70, 40, 55)


def test_transaction_values(running: Running) -> None:
    """Share of the transactions up to each bound; Grafana shows the differences."""
    findings = verify(DASHBOARD, running.store, running.end)
    (bars,) = [f for f in findings if f.panel.startswith("Transaction Values")]
    values = [one.euros for one in running.requests if one.class_name]
    expected = {bound: sum(v <= bound for v in values) / len(values) for bound in EUROS}

    shown = {float(one.labels["le"]): one.value for one in bars.samples}
    assert shown == pytest.approx({**expected, math.inf: 1.0}, rel=1e-9)


def test_error_rate(running: Running) -> None:
    """Refused and failed answers in a hundred that users asked for; probes do not count."""
    found = tally(running.within(60), 0, running.end)
    shown = running.ask()

    assert found["asked"] > 0
    assert shown["refused (4xx)"] == pytest.approx(100 * found["refused"] / found["asked"])
    assert shown["failed (5xx)"] == pytest.approx(100 * found["failed"] / found["asked"])


def test_queue_size_is_that_of_the_instance_where_most_wait(running: Running) -> None:
    """As its alert has it: one that is stuck would vanish in a mean, and a sum has no limit."""
    assert running.ask()["waiting"] == 4


SELECTIONS = {
    "one version": ({"version": OLD}, 0),
    "the other version": ({"version": NEW}, 1),
    "one instance": ({"instance": "shop-1"}, 1),
    "one of several": ({"version": f"({OLD}|9-none)", "instance": "(shop-0|shop-1)"}, 0),
    "all by name": ({"version": f"({OLD}|{NEW})", "instance": "(shop-0|shop-1)"}, None),
}


@pytest.mark.parametrize(("chosen", "worker"), SELECTIONS.values(), ids=SELECTIONS)
def test_variables_select(running: Running, chosen: dict[str, str], worker: int | None) -> None:
    """A version or an instance narrows every panel to the workers that it names."""
    shown = running.ask(**chosen, window="5m")
    selected = [one for index, one in enumerate(WORKERS) if worker in (None, index)]
    minute = tally(running.within(60, worker), 0, running.end)
    window = tally(running.within(300, worker), 0, running.end)

    assert shown["predictions"] == pytest.approx(minute["scored"] / 45)
    assert shown["called fraud"] == pytest.approx(100 * window["fraud"] / window["scored"])
    assert shown["waiting"] == max(one.gauges["queue_size"] for one in selected)
    assert shown["CPU"] == max(one.gauges["system_cpu_usage_percent"] for one in selected)
    assert shown["recall (card)"] == min(one.gauges["model_recall"] for one in selected)


def test_variables_offer_what_there_is(running: Running) -> None:
    """The lists at the top hold every service, and every version and instance of it."""
    offered = {
        one.name: one.values for one in choices(render(DASHBOARD), running.store, running.end)
    }

    assert offered == {
        "job": ["fraud-handler"],
        "version": [OLD, NEW],
        "instance": ["shop-0", "shop-1"],
    }


def test_contradicting_choice_shows_nothing(running: Running) -> None:
    """An instance that did not serve the version: empty panels, no error and no wrong figure."""
    findings = verify(DASHBOARD, running.store, running.end, version=OLD, instance="shop-1")

    narrowed = [finding for finding in findings if "$instance" in finding.query.expression]
    assert len(narrowed) > 12
    assert [finding.samples for finding in narrowed if finding.samples] == []


def test_exemplars_of_response_times_carry_the_trace(running: Running) -> None:
    """Grafana asks for exemplars by the same query; they name the trace as its link expects."""
    (query,) = [q for q in QUERIES if q.legend == "P99"]
    answer = running.store.exemplars(
        fill_in(query.expression, {**DEFAULTS, "job": "fraud-handler", "window": "5m"}),
        running.end - 300,
        running.end,
    )

    assert answer
    assert {one["trace_id"] for one in answer} == {"0af7651916cd43dd8448eb211c80319c"}
