"""A real Alertmanager, started as the stack starts it."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import requests

from tests.lab.paths import ROOT
from tests.lab.polling import answers
from tests.lab.ports import free_port
from tests.lab.program import Program

START = ROOT / "prometheus" / "alertmanager" / "start.sh"

# Where Prometheus is reached, as it writes it into the alerts that it sends.
SEEN = "https://monitoring.example.org"


class Alertmanager(Program):
    """start.sh with the settings given."""

    def __init__(self, tools: Path, folder: Path, **settings: str) -> None:
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.folder = folder
        super().__init__(
            [
                "sh", str(START), str(tools / "alertmanager"),
                f"--web.listen-address=127.0.0.1:{self.port}", "--cluster.listen-address=",
            ],
            folder / "log",
            {"ALERTMANAGER_DIR": str(folder)} | settings,
        )  # fmt: skip

    def is_ready(self) -> bool:
        """It takes alerts."""
        return answers(f"{self.url}/-/ready")

    def send(self, *alerts: dict[str, str], resolved: bool = False) -> None:
        """Alerts with these labels begin to fire now, or are resolved now."""
        now = time.time()
        ends = {"endsAt": _timestamp(now)} if resolved else {}
        body: list[dict[str, Any]] = [
            {
                "labels": labels,
                "annotations": {
                    "summary": f"summary of {labels['alertname']}",
                    "value": "value",
                    "runbook_url": f"{SEEN}/user/runbooks/{labels['alertname']}.md",
                    "dashboard_url": f"{SEEN}/user/?d=fraud-model#panel-9",
                    "__dashboardUid__": "fraud-model",
                    "__panelId__": "9",
                },
                "startsAt": _timestamp(now),
                **ends,
            }
            for labels in alerts
        ]
        answer = requests.post(f"{self.url}/api/v2/alerts", json=body, timeout=10)
        assert answer.status_code == 200, answer.text


def _timestamp(seconds: float) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(seconds)) + "Z"
