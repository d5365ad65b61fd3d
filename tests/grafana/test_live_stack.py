"""Every query of the four dashboards, asked of the whole stack with its rules and labels.

The rules' clock is compressed as in the drills (`bench.detection`): an hour is a minute.
"""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from bench.detection.stage import Stage
from grafana.cloud.verify import Finding, choices, verify
from grafana.panels import dashboards
from grafana.panels.model import FEW_EXPLAINED
from grafana.render.board import ALERTS_FIRING, NEW_VERSION, render
from prometheus.client.http import Client
from prometheus.client.query import Prometheus
from tests.grafana.conftest import ROOT
from tests.lab.tools import tools_folder
from tests.lab.webhook import webhook_receiver

pytestmark = pytest.mark.stack

DASHBOARDS = dashboards()
SCALE = 60
SECONDS = 100
# What rightly stays empty in a healthy stack of less than two hours without a challenger.
ALLOWED = {
    "there is no challenger",
    "an hour of history is needed",
    "half an hour of history is needed",
    "three hours of history are needed",
    "no trace came yet",  # this stack sends none
    "nothing was refused",
    # One in a hundred is explained: 12 in an hour of this clock, and a mean needs 30.
    FEW_EXPLAINED,
    "there was no error",
    "the Collector dropped none yet",
}


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Prometheus]:
    """The Prometheus of a stack that has been under traffic, with labels, for 100 minutes."""
    folder = tmp_path_factory.mktemp("stack")
    models = folder / "models"
    train = [sys.executable, "-m", "model", "train", "--models", str(models), "--rows", "20000"]
    subprocess.run(train, cwd=ROOT, check=True, capture_output=True)
    with webhook_receiver() as inbox:
        stage = Stage(tools_folder(), folder, models, SCALE, inbox)
        _scrape_itself(folder / "prometheus", stage.prometheus.port)
        try:
            stage.start()
            with _traffic(stage.handler.url):
                time.sleep(SECONDS)
                yield Prometheus(Client(stage.prometheus.url))
        finally:
            stage.stop()


def _scrape_itself(folder: Path, port: int) -> None:
    target = f"- targets: ['127.0.0.1:{port}']\n  labels: {{job: prometheus}}\n"
    (folder / "targets" / "itself.yml").write_text(target)


@contextmanager
def _traffic(url: str) -> Iterator[None]:
    """Transactions, and their labels a second later, for as long as the block lasts."""
    options = ["--rate", "20", "--duration", "600", "--labels-after", "1", "--quiet"]
    simulator = subprocess.Popen(
        [sys.executable, "-m", "simulator", "--url", url, *options],
        cwd=ROOT,
        stdout=subprocess.DEVNULL,
    )
    try:
        yield
    finally:
        simulator.terminate()
        simulator.wait(30)


@pytest.fixture(scope="module")
def findings(store: Prometheus) -> dict[str, list[Finding]]:
    """What every query gives; what is unduly empty is asked again for a while: at this scale a
    scrape has a quarter of a second, and a rule's value is looked for a second longer than it
    takes to the next one. What comes too late ends a series for a moment."""
    found = ask_all(store)
    deadline = time.monotonic() + 60
    while unduly_empty(found) and time.monotonic() < deadline:
        again = ask_all(store)
        found = {
            name: [
                old if old.samples and not old.fault else new
                for old, new in zip(each, again[name], strict=True)
            ]
            for name, each in found.items()
        }
    return found


def ask_all(store: Prometheus) -> dict[str, list[Finding]]:
    """Of each dashboard."""
    return {
        name: verify(each, store, __rate_interval="6s", __range="60s")
        for name, each in DASHBOARDS.items()
    }


def unduly_empty(found: dict[str, list[Finding]]) -> dict[str, str]:
    """Why each query gave nothing, where a healthy stack of that age gives no reason for it."""
    return {
        f"{name}, {each.panel}: {each.query.legend}": each.fault or each.query.empty
        for name, findings in found.items()
        for each in findings
        if each.fault or (not each.samples and each.query.empty not in ALLOWED)
    }


def test_no_query_is_empty_but_those_that_say_why(findings: dict[str, list[Finding]]) -> None:
    assert unduly_empty(findings) == {}


@pytest.mark.parametrize("name", DASHBOARDS)
def test_every_variable_offers_something(name: str, store: Prometheus) -> None:
    offered = choices(render(DASHBOARDS[name]), store)

    assert [choice.name for choice in offered if not choice.values] == []


def test_annotations_are_accepted(store: Prometheus) -> None:
    """The heartbeat fires and is none of them."""
    assert store.query('ALERTS{alertstate="firing"}')
    store.query(ALERTS_FIRING)
    store.query(NEW_VERSION)


def test_ratios_are_far_from_their_limits_in_a_healthy_stack(
    findings: dict[str, list[Finding]],
) -> None:
    """As parts of what the alerts allow: below 1, or the panels would be red for nothing."""
    (limits,) = [p for p in DASHBOARDS["model"].panels if p.title == "How near is each alert?"]
    shown = {
        f.query.legend: f.samples[0].value
        for f in findings["model"]
        if f.panel == limits.title and f.samples
    }

    assert len(shown) == 7
    assert {name: value for name, value in shown.items() if value >= 1} == {}
