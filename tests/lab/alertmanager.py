"""A real Alertmanager, started as the stack starts it."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import requests

from tests.lab.programs import ROOT, Program, answers, free_port, until

START = ROOT / "prometheus" / "alertmanager" / "start.sh"


class Alertmanager(Program):
    """start.sh with the settings given, on a free port of loopback."""

    def __init__(self, tools: Path, folder: Path, **settings: str) -> None:
        folder.mkdir(parents=True, exist_ok=True)
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

    def start(self) -> Alertmanager:
        """Returns when it takes alerts."""
        self.launch()
        until(lambda: answers(f"{self.url}/-/ready"), 20, "Alertmanager is ready")
        return self

    def tell(self, *alerts: dict[str, str], over: bool = False) -> None:
        """Alerts with these labels fire now, or are over now."""
        now = time.time()
        ends = {"endsAt": _stamp(now)} if over else {}
        body: list[dict[str, Any]] = [
            {
                "labels": labels,
                "annotations": {
                    "summary": f"summary of {labels['alertname']}",
                    "value": "value",
                    "runbook_url": f"docs/runbooks/{labels['alertname']}.md",
                },
                "startsAt": _stamp(now),
                **ends,
            }
            for labels in alerts
        ]
        answer = requests.post(f"{self.url}/api/v2/alerts", json=body, timeout=10)
        assert answer.status_code == 200, answer.text


def _stamp(seconds: float) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(seconds)) + "Z"
