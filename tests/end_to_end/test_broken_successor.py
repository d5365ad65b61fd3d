"""A model that is damaged while the service runs keeps new workers from starting, not it from
serving."""

from __future__ import annotations

import json
import os
import shutil
import signal
from pathlib import Path

import pytest
import requests

from tests.lab.fixtures import StartHandler
from tests.lab.polling import until
from tests.lab.traffic import TRANSACTION

pytestmark = pytest.mark.stack


def test_service_goes_on_until_the_model_is_mended(
    start_handler: StartHandler, model_dir: Path, tmp_path: Path
) -> None:
    models = shutil.copytree(model_dir, tmp_path / "models")
    service = start_handler(models, WEB_CONCURRENCY="2")
    [model] = models.glob("*/model.onnx")
    whole = model.read_bytes()
    model.write_bytes(whole[:100])
    os.kill(service.workers()[0], signal.SIGKILL)
    until(lambda: "a worker cannot start" in service.output(), 30, "it says so")
    for _ in range(20):
        answer = requests.post(f"{service.url}/predict", json=TRANSACTION, timeout=30)
        assert answer.status_code == 200, answer.text
    [told] = [line for line in service.output().splitlines() if "a worker cannot start" in line]
    assert json.loads(told)["level"] == "error"
    assert f"{model} is damaged" in service.output()
    model.write_bytes(whole)
    until(lambda: len(service.workers()) == 2, 30, "the next try succeeds")
    assert requests.get(f"{service.url}/health/ready", timeout=30).status_code == 200
