"""docs/several_services.md: the second service that it starts, and what it says is shared."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest
import requests

from tests.docs.pages import DOCS, ROOT, blocks, section
from tests.lab.polling import answers, until
from tests.lab.ports import free_port
from tests.lab.program import Program
from tests.prometheus.rules.test_two_services import SHARED_ALERTS

PAGE = DOCS / "several_services.md"


class Typed(Program):
    """The page's command, with a port, folders and an interpreter of the test."""

    ready_seconds = 90

    def __init__(self, command: str, port: int, folder: Path) -> None:
        self.url = f"http://127.0.0.1:{port}"
        super().__init__(["sh", "-c", f"cd {ROOT} && exec env {command}"], folder / "log", {})

    def is_ready(self) -> bool:
        return answers(f"{self.url}/health/ready")


@pytest.mark.stack
def test_second_service_is_called_by_its_name(model_dir: Path, tmp_path: Path) -> None:
    """As its page is told, by which alerts are chosen: the job that the store has of it."""
    [command] = blocks(section(PAGE, "The second service"), "sh")
    port = free_port()
    for typed, own in {
        "PORT=5001": f"PORT={port}",
        "STATE_DIR=.run/loans": f"STATE_DIR={tmp_path}/state",
        "MODEL_DIR=loans-models": f"MODEL_DIR={model_dir}",
        ".venv/serve/bin/python": sys.executable,
    }.items():
        assert typed in command
        command = command.replace(typed, own)
    with Typed(command.replace("\\\n", " "), port, tmp_path) as service:
        stats = requests.get(f"{service.url}/stats", timeout=30).json()
        assert stats["job"] == "loans"
        assert "stack" not in stats
        until(lambda: (tmp_path / "state").is_dir(), 30, "counters of its own")


def test_what_is_shared_is_what_the_rules_have_without_a_job() -> None:
    """By name, each of them and no other."""
    text = section(PAGE, "What they share").split("Watchdog", 1)[0] + "Watchdog"
    assert set(re.findall(r"\b[A-Z][a-z]+(?:[A-Z][a-z]+)+\b|Watchdog", text)) == SHARED_ALERTS
