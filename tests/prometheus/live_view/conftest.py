"""A Prometheus that serves the live view, filled by the real service, and a browser."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from functools import partial
from pathlib import Path

import pytest
import yaml

from stack.native.prometheus_config import link_live_view
from stack.traces.spans import FILE
from tests.lab.collector import Collector
from tests.lab.handler import Handler
from tests.lab.paths import ROOT
from tests.lab.polling import until
from tests.lab.prometheus import Prometheus
from tests.lab.traffic import Responses, make_requests, send

GOOD, FAULTY = 240, 20
# A push carries the last exemplar of each bucket: so many pushes, so many traces at least.
PUSHES = 6
FIRING = {
    "alert": "FeatureDrift",
    "expr": "vector(1)",
    "labels": {"severity": "page"},
    "annotations": {
        "summary": "The amounts are not those of training.",
        "runbook_url": "docs/runbooks/FeatureDrift.md",
    },
}


@pytest.fixture(scope="session")
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
            Collector(
                tools,
                folder / "collector",
                PROMETHEUS_URL=prometheus.url,
                TRACES_FILE=str(folder / "traces" / FILE),
                TRACES_SHARE_PERCENT="100",
                TRACES_DECISION_WAIT="1s",
            )
        )
        handler = stack.enter_context(
            Handler(folder / "handler", model_dir, **collector.exporter_settings())
        )
        until(lambda: prometheus.number("sum(up)") is not None, 60, "a first scrape")
        _send_in_parts(prometheus, handler.port)
        until(lambda: _has_answers(prometheus), 180, "counts, recorded series and an alert")
        yield prometheus


def _send_in_parts(prometheus: Prometheus, port: int) -> None:
    """Each part is sent when the one before is stored, so that each is in a push of its own."""
    requests = make_requests(GOOD, FAULTY, seed=7)
    size = len(requests) // PUSHES + 1
    answered = 'sum(http_request_duration_seconds_count{endpoint="/predict"})'
    sent = 0
    for start in range(0, len(requests), size):
        part = requests[start : start + size]
        send(port, part, Responses(), threads=2)
        sent += len(part)
        until(partial(_holds, prometheus, f"{answered} == {sent}"), 60, "a push")


def _holds(prometheus: Prometheus, condition: str) -> bool:
    return prometheus.number(condition) is not None


def _has_answers(prometheus: Prometheus) -> bool:
    return (
        prometheus.number("sum(predictions_total)") == GOOD
        and prometheus.number("max(job:predictions:mean_score1h)") is not None
        and prometheus.number("max(feature_bin:feature_values:share24h)") is not None
        and prometheus.number('count(ALERTS{alertstate="firing"})') == 1
    )


def _prometheus(tools: Path, folder: Path) -> Prometheus:
    link_live_view(ROOT, folder / "served", folder / "traces")
    made = Prometheus(tools, folder / "prometheus")
    made.command.append(f"--web.user-assets={folder / 'served'}")
    rules = folder / "prometheus" / "rules"
    rules.mkdir()
    for file in (ROOT / "prometheus" / "rules").glob("*.yml"):
        if file.name != "alerts.yml":
            # Some groups take their turn every four minutes: here a test would wait for them.
            groups = yaml.safe_load(file.read_text(encoding="utf-8"))["groups"]
            quick = {"groups": [{**group, "interval": "3s"} for group in groups]}
            (rules / file.name).write_text(yaml.safe_dump(quick))
    group = {"name": "drill", "interval": "1s", "rules": [FIRING]}
    (rules / "drill.yml").write_text(yaml.safe_dump({"groups": [group]}))
    targets = folder / "prometheus" / "targets"
    targets.mkdir()
    own = {"targets": [f"127.0.0.1:{made.port}"], "labels": {"job": "prometheus"}}
    (targets / "own.yml").write_text(yaml.safe_dump([own]))
    return made
