"""The programs of the store drill: the same counts go to one Prometheus and to three nodes.

    handler ─▶ Collector ─┬─ OTLP ─────────▶ Prometheus, the reference
    agent (otelcol_*, up) ┴─ remote-write ─▶ proxy ─▶ three nodes of Cortex

Configurations are the project's own, rules too; every rule group is evaluated each 15 s, so that
minutes suffice.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import yaml

from tests.lab.collector import Collector
from tests.lab.cortex import Cortex, cortex_tools
from tests.lab.grafana_cloud import TOKEN, USER
from tests.lab.handler import Handler
from tests.lab.paths import ROOT
from tests.lab.polling import answers
from tests.lab.ports import free_port
from tests.lab.program import Program
from tests.lab.prometheus import Prometheus, PrometheusApi
from tests.lab.tools import tools_folder

PUSH_MS = 5000
OFFSET = "30s"  # as shipped
_INTERVAL = re.compile(r"^(  interval: )\w+$", re.MULTILINE)


class Bare(PrometheusApi, Program):
    """A Prometheus with a configuration of its own, without the project's."""

    ready_seconds = 30

    def __init__(self, tools: Path, folder: Path, config: object, *flags: str) -> None:
        port = free_port()
        self.url = f"http://127.0.0.1:{port}"
        folder.mkdir(parents=True)
        (folder / "prometheus.yml").write_text(yaml.safe_dump(config))
        command = [
            str(tools / "prometheus"), f"--config.file={folder / 'prometheus.yml'}",
            f"--web.listen-address=127.0.0.1:{port}", *flags,
        ]  # fmt: skip
        super().__init__(command, folder / "log", {})

    def is_ready(self) -> bool:
        """It answers."""
        return answers(f"{self.url}/-/ready")


@dataclass
class Stage:
    """All of it, running."""

    handler: Handler
    reference: Prometheus
    cortex: Cortex
    reader: Bare
    """Prometheus' own engine over what the nodes hold: it reads from them and keeps nothing."""

    def restart_handler_from_zero(self) -> None:
        """Its counters are lost: every series is reset."""
        self.handler.terminate()
        shutil.rmtree(self.handler.state)
        self.handler.start()


def copy_rules(folder: Path) -> Path:
    """The project's rules with the drill's interval."""
    folder.mkdir(parents=True)
    for path in sorted((ROOT / "prometheus" / "rules").glob("*.yml")):
        (folder / path.name).write_text(_INTERVAL.sub(r"\g<1>15s", path.read_text()))
    return folder


@contextmanager
def open_stage(folder: Path, models: Path) -> Iterator[Stage]:
    """Ends every program afterwards."""
    tools, own = tools_folder(), cortex_tools()
    reference = Prometheus(tools, folder / "prometheus", rule_offset=OFFSET)
    rules = copy_rules(folder / "prometheus" / "rules")
    cortex = Cortex(own, folder / "cortex", rules, "http://127.0.0.1:9")
    collector = Collector(
        tools, folder / "collector", OTEL_COLLECTOR_ROUTE="both", PROMETHEUS_URL=reference.url,
        GRAFANA_CLOUD_METRICS="remote-write", GRAFANA_CLOUD_PROM_URL=cortex.write_url,
        GRAFANA_CLOUD_PROM_ID=USER, GRAFANA_CLOUD_TOKEN=TOKEN,
    )  # fmt: skip
    handler = Handler(
        folder / "handler", models, WEB_CONCURRENCY="2", LOG_LEVEL="warning",
        RECEIPT_KEYS="a-key-that-outlives-the-counters", **collector.exporter_settings(PUSH_MS),
    )  # fmt: skip
    agent = _make_agent(tools, folder / "agent", collector, [reference, cortex])
    reading = {"remote_read": [{"url": f"{cortex.url}/api/v1/read", "read_recent": True}]}
    reader = Bare(
        tools, folder / "reader", reading, f"--storage.tsdb.path={folder / 'reader' / 'data'}"
    )
    with ExitStack() as stack:
        for each in (reference, cortex, collector, agent, handler, reader):
            stack.enter_context(each)
        yield Stage(handler, reference, cortex, reader)


def _make_agent(
    tools: Path, folder: Path, collector: Collector, stores: list[PrometheusApi]
) -> Bare:
    """What the stack's Prometheus would scrape of the Collector, for both stores."""
    paths = ["/api/v1/write", "/api/v1/push"]
    config = {
        "global": {"scrape_interval": "15s"},
        "scrape_configs": [
            {
                "job_name": "otel-collector",
                "static_configs": [{"targets": [f"127.0.0.1:{collector.metrics_port}"]}],
            }
        ],
        "remote_write": [
            {"url": store.url + path} for store, path in zip(stores, paths, strict=True)
        ],
    }
    return Bare(tools, folder, config, "--agent", f"--storage.agent.path={folder / 'data'}")
