"""A Prometheus that serves the live view, filled by the real service, and a browser."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
import yaml
from playwright.sync_api import Browser

from stack.native.prometheus_config import link_live_view
from tests.lab.chromium import chromium
from tests.lab.collector import Collector
from tests.lab.handler import Handler
from tests.lab.paths import ROOT
from tests.lab.polling import until
from tests.lab.prometheus import Prometheus
from tests.lab.traffic import Responses, make_requests, send

GOOD, FAULTY = 240, 20
FIRING = {
    "alert": "FeatureDrift",
    "expr": "vector(1)",
    "labels": {"severity": "page"},
    "annotations": {
        "summary": "The amounts are not those of training.",
        "runbook_url": "docs/runbooks/FeatureDrift.md",
    },
}


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    with chromium() as started:
        yield started


@pytest.fixture(scope="package")
def served(
    tools: Path, model_dir: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Prometheus]:
    """Prometheus with the recording rules, one alert that fires, and a service's counts."""
    folder = tmp_path_factory.mktemp("live-view")
    with ExitStack() as stack:
        prometheus = _prometheus(tools, folder)
        stack.callback(prometheus.kill)
        prometheus.start()
        collector = stack.enter_context(
            Collector(tools, folder / "collector", PROMETHEUS_URL=prometheus.url)
        )
        handler = stack.enter_context(
            Handler(folder / "handler", model_dir, **collector.exporter_settings())
        )
        until(lambda: prometheus.number("sum(up)") is not None, 60, "a first scrape")
        send(handler.port, make_requests(GOOD, FAULTY, seed=7), Responses(), threads=2)
        until(lambda: _has_answers(prometheus), 60, "counts, recorded series and an alert")
        yield prometheus


def _has_answers(prometheus: Prometheus) -> bool:
    return (
        prometheus.number("sum(predictions_total)") == GOOD
        and prometheus.number("max(job:predictions:mean_score1h)") is not None
        and prometheus.number('count(ALERTS{alertstate="firing"})') == 1
    )


def _prometheus(tools: Path, folder: Path) -> Prometheus:
    link_live_view(ROOT, folder / "served")
    made = Prometheus(tools, folder / "prometheus")
    made.command.append(f"--web.user-assets={folder / 'served'}")
    rules = folder / "prometheus" / "rules"
    rules.mkdir()
    for file in (ROOT / "prometheus" / "rules").glob("*.yml"):
        if file.name != "alerts.yml":
            (rules / file.name).symlink_to(file)
    group = {"name": "drill", "interval": "1s", "rules": [FIRING]}
    (rules / "drill.yml").write_text(yaml.safe_dump({"groups": [group]}))
    targets = folder / "prometheus" / "targets"
    targets.mkdir()
    own = {"targets": [f"127.0.0.1:{made.port}"], "labels": {"job": "prometheus"}}
    (targets / "own.yml").write_text(yaml.safe_dump([own]))
    return made
