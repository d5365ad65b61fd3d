"""The whole stack of one drill on free ports of loopback, its clock compressed.

Handler, Collector, Prometheus and Alertmanager are the real programs with the project's own
configuration; only durations are divided by the scale, and deliveries go to the drill's inbox.
"""

from __future__ import annotations

import re
from pathlib import Path

from prometheus.generator import generate
from tests.lab.alertmanager import Alertmanager
from tests.lab.collector import Collector
from tests.lab.handler import Handler
from tests.lab.prometheus import Prometheus
from tests.lab.webhook import Webhook

# Handlers push each second here, and the Collector gathers for one: shorter would be inexact.
RULE_OFFSET = "2s"


class CompressedPrometheus(Prometheus):
    """The project's Prometheus with rules, scrapes and staleness at the scale."""

    def __init__(self, tools: Path, folder: Path, scale: int) -> None:
        super().__init__(tools, folder, rule_offset=RULE_OFFSET)
        self._folder, self._scale = folder, scale
        # How long a series is seen after its last sample: five minutes of the rules' clock.
        self.command.append(f"--query.lookback-delta={max(1, round(300 / scale))}s")

    def place(self, collector: Collector, alertmanager: Alertmanager) -> None:
        """Write the configuration: what Prometheus reads, and where it finds the others."""
        generate.write(self._folder / "rules", self._scale)
        config = self._folder / "prometheus.yml"
        config.write_text(_shorten_intervals(config.read_text(), self._scale))
        targets = self._folder / "targets"
        targets.mkdir()
        (targets / "drill.yml").write_text(
            f"- targets: ['127.0.0.1:{collector.metrics_port}']\n"
            "  labels: {job: otel-collector}\n"
        )
        (targets / "alertmanager").mkdir()
        (targets / "alertmanager" / "drill.yml").write_text(
            f"- targets: ['127.0.0.1:{alertmanager.port}']\n"
        )


def _shorten_intervals(config: str, scale: int) -> str:
    pause = max(100, 15_000 // scale)
    return re.sub(r"(scrape_interval|evaluation_interval): 15s", rf"\1: {pause}ms", config)


class Stage:
    """The running programs of one drill."""

    def __init__(self, tools: Path, folder: Path, models: Path, scale: int, inbox: Webhook) -> None:
        self.scale, self.inbox = scale, inbox
        self.alertmanager = Alertmanager(
            tools,
            folder / "alertmanager",
            ALERT_WEBHOOK_URL=inbox.url,
            ALERT_GROUP_WAIT="1s",
            ALERT_GROUP_INTERVAL="1s",
        )
        self.prometheus = CompressedPrometheus(tools, folder / "prometheus", scale)
        self.collector = Collector(tools, folder / "collector", PROMETHEUS_URL=self.prometheus.url)
        settings = {
            "WEB_CONCURRENCY": "2",
            "OTEL_EXPORTER_OTLP_ENDPOINT": self.collector.endpoint,
            "OTEL_TRACES_EXPORTER": "none",
            "OTEL_METRIC_EXPORT_INTERVAL": "1000",
            "FAULT_HEADERS": "on",
            "LOG_LEVEL": "warning",
        }
        self.handler = Handler(folder / "handler", models, **settings)
        self.prometheus.place(self.collector, self.alertmanager)

    def start(self) -> None:
        """Returns when all of it answers."""
        self.alertmanager.start()
        self.prometheus.start()
        self.collector.start()
        self.handler.start()

    def kill_handler(self) -> None:
        """All of it at once, its workers too."""
        self.handler.kill()

    def restart_handler(self) -> None:
        """After it was killed; its counts go on."""
        self.handler.start()

    def restart_collector(self) -> None:
        """After it was killed; its queue goes on."""
        self.collector.start()

    def stop(self) -> None:
        """In the order of a request's path, so that the last values arrive."""
        for program in (self.handler, self.collector, self.prometheus, self.alertmanager):
            program.terminate()
