"""The project's own Collector, with the configuration that is inside it."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import requests

from tests.lab.environment import clean_environment
from tests.lab.polling import answers
from tests.lab.ports import free_port
from tests.lab.program import Program


class Collector(Program):
    """`endpoint` takes OTLP/HTTP, `metrics_port` has its own metrics."""

    def __init__(self, tools: Path, folder: Path, **settings: str) -> None:
        otlp, health, self.metrics_port = free_port(), free_port(), free_port()
        self.endpoint = f"http://127.0.0.1:{otlp}"
        self.queue = folder / "queue"
        self._health_url = f"http://127.0.0.1:{health}/"
        own = {
            "OTLP_HTTP_ENDPOINT": f"127.0.0.1:{otlp}",
            "COLLECTOR_HEALTH_ENDPOINT": f"127.0.0.1:{health}",
            "COLLECTOR_METRICS_PORT": str(self.metrics_port),
            "COLLECTOR_QUEUE_DIR": str(self.queue),
            "COLLECTOR_RETRY_MAX_INTERVAL": "2s",
        }
        super().__init__([str(tools / "otelcol")], folder / "log", own | settings)

    def is_ready(self) -> bool:
        """It takes data."""
        return answers(self._health_url)

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """One of its other commands, such as `validate`, to its end."""
        return subprocess.run(
            [*self.command, *arguments],
            env=clean_environment() | self.env,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    def internal_metric(self, name: str) -> dict[str, float]:
        """The Collector's own metric by its label string."""
        text = requests.get(f"http://127.0.0.1:{self.metrics_port}/metrics", timeout=30).text
        starts = (name + "{", name + " ")
        lines = [line for line in text.splitlines() if line.startswith(starts)]
        return {line.rpartition(" ")[0]: float(line.rpartition(" ")[2]) for line in lines}

    def logged_errors(self) -> list[dict[str, Any]]:
        """What it logged as an error."""
        lines = [json.loads(line) for line in self.output().splitlines() if line.startswith("{")]
        return [line for line in lines if line["level"] == "error"]

    def exporter_settings(self, every_ms: int = 1000) -> dict[str, str]:
        """Settings of a handler that exports to it at this interval."""
        return {
            "OTEL_EXPORTER_OTLP_ENDPOINT": self.endpoint,
            "OTEL_METRIC_EXPORT_INTERVAL": str(every_ms),
        }
