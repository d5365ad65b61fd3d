"""The dashboard of a real service: handler, Collector, Prometheus, and the simulator's traffic.

One run for all tests of this file: from nothing, a minute at 0.3 requests/s, then a known burst.
What the panels say is held against the simulator's own summary and the bodies that it sent.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from bisect import bisect_left
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import requests

from grafana import generate
from grafana.cloud.budget import measure
from grafana.cloud.verify import Finding, choices, verify
from grafana.panels import dashboards
from grafana.render.board import render
from prometheus.client.http import Client
from prometheus.client.query import Prometheus
from simulator.contract.vocabulary import VALID
from simulator.target.model_info_parser import parse_model_info
from simulator.traffic.arrivals import LoadProfile
from simulator.traffic.invalid_share import InvalidShare
from simulator.traffic.request_plan import TrafficSpec, plan_requests
from telemetry.metrics import EUROS, REQUEST_SECONDS
from tests.lab.collector import Collector
from tests.lab.handler import Handler
from tests.lab.models import train_model
from tests.lab.polling import until
from tests.lab.prometheus import Prometheus as PrometheusServer
from tests.lab.tools import tools_folder

pytestmark = pytest.mark.stack

ROOT = generate.ROOT
DASHBOARD = dashboards()["overview"]
KNOWN = {panel.title for panel in DASHBOARD.panels if panel.id <= 8}
FAULTY = 0.1
QUIET_SECONDS = 70
BURST = 400
LARGE_BODY = 300_000
WHOLE_RUN = {"window": "1h", "__rate_interval": "1h", "__range": "1h"}
SECONDS_OF_AN_HOUR = 3600


@dataclass(frozen=True)
class Experience:
    """What was seen: a minute after the start, and when everything had been counted.

    `increase` stretches what a worker counted to the window's end, which is the newest push of all:
    `slack` is by how much at most, for the worker that pushed first.
    """

    after_a_minute: list[Finding]
    at_the_end: list[Finding]
    offered: dict[str, list[str]]
    summaries: list[dict[str, Any]]
    amounts: list[float]
    model: dict[str, Any]
    health: dict[str, Any]
    series_sent: int
    slack: float

    def end(self, legend: str) -> float:
        """The figure under that legend at the end."""
        found, *_ = [f for f in self.at_the_end if f.query.legend == legend]
        (sample,) = found.samples
        return sample.value

    def total(self, *path: str) -> int:
        """Sum of a count over the simulator's summaries."""
        return sum(_at(summary, path) for summary in self.summaries)


def _at(content: Any, path: tuple[str, ...]) -> int:
    for name in path:
        content = content.get(name, {})
    return content or 0


@pytest.fixture(scope="module")
def seen(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Experience]:
    """The run."""
    with ExitStack() as programs:
        yield _run(tmp_path_factory.mktemp("traffic"), programs)


def _run(folder: Path, programs: ExitStack) -> Experience:
    tools, models = tools_folder(), train_model(folder / "models", "--rows", "20000")
    store = programs.enter_context(PrometheusServer(tools, folder / "prometheus"))
    collector = programs.enter_context(
        Collector(tools, folder / "collector", PROMETHEUS_URL=store.url)
    )
    exporting = collector.exporter_settings(every_ms=15_000)
    handler = Handler(folder / "handler", models, WEB_CONCURRENCY="2", **exporting)
    programs.callback(handler.kill)
    target = handler.url
    asked = Prometheus(Client(store.url))

    handler.launch()
    began = time.monotonic()
    first = _simulate(target, "--rate", "0.3", "--duration", str(QUIET_SECONDS), "--seed", "1")
    time.sleep(began + 60 - time.monotonic())
    after_a_minute = verify(DASHBOARD, asked)
    summaries = [_summary(first), _summary(_simulate(target, *_burst()))]
    model = requests.get(f"{target}/model_info", timeout=10).json()
    health = requests.get(f"{target}/health", timeout=10).json()
    scored = sum(summary["predictions"]["total"] for summary in summaries)
    until(lambda: _value(asked, "sum(predictions_total)") == scored, 60, "all is counted")
    pushed = "max by (instance) (timestamp(predictions_total))"
    # A push stamps its histograms some milliseconds after its counters.
    at = _value(asked, f"max({pushed})") + 0.05
    slack = (at - _value(asked, f"min({pushed})")) / QUIET_SECONDS + 0.001
    return Experience(
        after_a_minute=after_a_minute,
        at_the_end=verify(DASHBOARD, asked, at, **WHOLE_RUN),
        offered={one.name: one.values for one in choices(render(DASHBOARD), asked)},
        summaries=summaries,
        amounts=_amounts(model, LoadProfile(0.3, None, QUIET_SECONDS), 1, 0.02)
        + _amounts(model, LoadProfile(40, BURST), 2, FAULTY),
        model=model,
        health=health,
        series_sent=measure(asked).series,
        slack=slack,
    )


def _burst() -> tuple[str, ...]:
    return ("--rate", "40", "--count", str(BURST), "--seed", "2", "--faulty", str(FAULTY))


def _simulate(target: str, *options: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "simulator", "--url", target, "--json", "--quiet"]
    return subprocess.Popen(
        [*command, "--wait-for-target", "60", *options], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )


def _summary(simulator: subprocess.Popen[str]) -> dict[str, Any]:
    printed, _ = simulator.communicate(timeout=120)
    assert simulator.returncode == 0, printed
    summary: dict[str, Any] = json.loads(printed)
    return summary


def _amounts(model: dict[str, Any], load: LoadProfile, seed: int, faulty: float) -> list[float]:
    """Amounts in the bodies that the simulator sent and that could be scored."""
    spec = TrafficSpec(load, InvalidShare(faulty, LARGE_BODY))
    plan = plan_requests(parse_model_info(model), seed, spec)
    return [json.loads(one.body)["amount"] for one in plan if one.kind == VALID]


def _value(store: Prometheus, expression: str) -> float:
    samples = store.query(expression)
    return samples[0].value if samples else 0.0


def test_a_minute_after_a_start_from_nothing_every_panel_has_figures(seen: Experience) -> None:
    """0.3 requests/s, 60 s: no query of any panel is empty, none is NaN."""
    assert {f.query.legend: f.fault for f in seen.after_a_minute if f.fault} == {}
    shown = {f.panel for f in seen.after_a_minute if f.samples}
    assert shown >= KNOWN


def test_variables_offer_the_model_and_the_workers(seen: Experience) -> None:
    """The version of `/model_info`, and one instance for each of the two workers."""
    assert seen.offered["version"] == [seen.model["version"]]
    assert len(seen.offered["instance"]) == 2


def test_predictions(seen: Experience) -> None:
    """As many as the simulator was given, spread over the hour that the query looks at."""
    scored = seen.total("predictions", "total")

    assert seen.end("predictions") * SECONDS_OF_AN_HOUR == pytest.approx(scored, rel=seen.slack)


def test_fraud_detection_rate(seen: Experience) -> None:
    """The frauds in a hundred answers."""
    frauds, scored = (
        seen.total("predictions", "by_class", "fraud"),
        seen.total("predictions", "total"),
    )

    assert frauds > 0
    assert seen.end("called fraud") == pytest.approx(100 * frauds / scored, rel=seen.slack)


def test_response_times(seen: Experience) -> None:
    """In order, and not above the bucket of what the client measured, which waits longer."""
    p50, p95, p99 = (seen.end(legend) for legend in ("P50", "P95", "P99"))
    waited = max(summary["latency_seconds"]["p99"] for summary in seen.summaries)
    bounds = (*REQUEST_SECONDS, float("inf"))

    assert 0 < p50 <= p95 <= p99 <= bounds[bisect_left(bounds, waited)]


def test_model_quality(seen: Experience) -> None:
    """The card's figures on its holdout data."""
    metrics = seen.model["metrics"]

    assert [seen.end(f"{name} (card)") for name in ("accuracy", "precision", "recall", "F1")] == [
        metrics["accuracy"],
        metrics["precision"],
        metrics["recall"],
        metrics["f1_score"],
    ]


def test_system_resources(seen: Experience) -> None:
    """What `/health` says at about the same time; the processor's load changes faster."""
    resources = seen.health["resources"]

    assert 0 < seen.end("CPU") <= 100
    assert seen.end("memory") == pytest.approx(resources["memory_percent"], abs=15)
    assert seen.end("disk") == pytest.approx(resources["disk_percent"], abs=5)


def test_transaction_values(seen: Experience) -> None:
    """Share of the amounts sent up to each bound."""
    (bars,) = [f for f in seen.at_the_end if f.panel.startswith("Transaction Values")]
    shown = {float(sample.labels["le"]): sample.value for sample in bars.samples}

    assert len(seen.amounts) == seen.total("predictions", "total")
    for bound in EUROS:
        share = sum(amount <= bound for amount in seen.amounts) / len(seen.amounts)
        assert shown[bound] == pytest.approx(share, abs=seen.slack)


def test_error_rate(seen: Experience) -> None:
    """Refused among all answers; there are a few more than the simulator counts: /model_info."""
    statuses = [summary["by_status"] for summary in seen.summaries]
    answered = sum(sum(one.values()) for one in statuses)
    refused = sum(n for one in statuses for status, n in one.items() if status.startswith("4"))

    assert refused > 0
    assert seen.end("refused (4xx)") == pytest.approx(
        100 * refused / answered, rel=seen.slack + 0.01
    )
    assert seen.end("failed (5xx)") == 0


def test_queue_is_empty_when_all_is_answered(seen: Experience) -> None:
    """Nothing waits any more."""
    assert seen.end("waiting") == 0


def test_series_fit_the_stated_budget(seen: Experience) -> None:
    """The guide's figure for two workers, and what unusual answers added."""
    guide = (ROOT / generate.GUIDE).read_text(encoding="utf-8")
    stated = guide.split("| two workers, a push every 60 s | ")[1].split(" ")[0]

    assert 0 <= seen.series_sent - int(stated.replace(",", "")) <= 40
