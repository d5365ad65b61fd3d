"""What a worker says and does between SIGTERM and its end."""

from __future__ import annotations

import os
import signal
import threading
import time

import pytest
import requests

from tests.lab.fixtures import StartHandler
from tests.lab.traffic import TRANSACTION

pytestmark = pytest.mark.stack


def test_stopping_worker_is_not_ready_and_finishes_what_it_has(
    start_handler: StartHandler,
) -> None:
    """One thread: the probe waits behind a slow prediction, and SIGTERM comes in between."""
    service = start_handler(WEB_CONCURRENCY="1", WORKER_THREADS="1", FAULT_HEADERS="on")
    answers: dict[str, requests.Response] = {}

    def predict() -> None:
        headers = {"X-Fault": "delay=2000ms"}
        answers["predict"] = requests.post(
            f"{service.url}/predict", json=TRANSACTION, headers=headers, timeout=30
        )

    def probe() -> None:
        answers["ready"] = requests.get(f"{service.url}/health/ready", timeout=30)

    threads = [threading.Thread(target=predict), threading.Thread(target=probe)]
    for thread in threads:
        thread.start()
        time.sleep(0.5)
    os.kill(service.workers()[0], signal.SIGTERM)
    for thread in threads:
        thread.join(30)
    assert answers["predict"].status_code == 200
    assert answers["ready"].status_code == 503
    assert answers["ready"].json()["reason"] == "the process is stopping"
