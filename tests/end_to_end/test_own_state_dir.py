"""Without STATE_DIR the service makes a folder of its own, which its workers share to its end."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest
import requests

from tests.lab.fixtures import StartHandler
from tests.lab.handler import Handler
from tests.lab.polling import until
from tests.lab.traffic import TRANSACTION

pytestmark = pytest.mark.stack


def find_slots(service: Handler) -> set[Path]:
    """The files of counters that the workers hold."""
    files = [file for pid in service.workers() for file in Path(f"/proc/{pid}/fd").iterdir()]
    held = {file.readlink() for file in files if file.is_symlink()}
    return {path for path in held if path.name.startswith("counts-")}


def test_worker_that_ends_leaves_the_folder_to_the_others(start_handler: StartHandler) -> None:
    """One is replaced; all stay ready, counts go on, and an old receipt still counts."""
    service = start_handler(WEB_CONCURRENCY="2", STATE_DIR="")
    until(lambda: len(find_slots(service)) == 2, 60, "both workers hold their slots")
    [folder] = {slot.parent for slot in find_slots(service)}
    predicted = requests.post(f"{service.url}/predict", json=TRANSACTION, timeout=30)
    receipt = predicted.json()["receipt"]
    first = service.workers()
    os.kill(first[0], signal.SIGTERM)
    until(lambda: len(set(service.workers()) - {first[0]}) == 2, 60, "the worker is replaced")
    assert folder.is_dir()
    for _ in range(20):
        ready = requests.get(f"{service.url}/health/ready", timeout=30)
        assert ready.status_code == 200, ready.text
    health = requests.get(f"{service.url}/health", timeout=30).json()
    assert health["total_predictions"] == 1
    label = {"receipt": receipt, "label": "fraud"}
    answer = requests.post(f"{service.url}/feedback", json=label, timeout=30)
    assert answer.json()["result"] == "counted"
    service.terminate()
    assert not folder.exists()
