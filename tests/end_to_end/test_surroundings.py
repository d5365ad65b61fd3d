"""The real service in unusual surroundings: addresses, folders, bodies without a length."""

from __future__ import annotations

import http.client
import json
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from tests.lab.environment import clean_environment
from tests.lab.fixtures import StartHandler
from tests.lab.handler import Handler
from tests.lab.paths import ROOT
from tests.lab.polling import until
from tests.lab.ports import free_port
from tests.lab.traffic import TRANSACTION

pytestmark = pytest.mark.stack


def send_in_chunks(port: int, chunks: Iterator[bytes]) -> tuple[int, dict[str, object]]:
    """POST /predict with Transfer-Encoding: chunked; status and decoded body."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    headers = {"Content-Type": "application/json"}
    connection.request("POST", "/predict", chunks, headers, encode_chunked=True)
    answer = connection.getresponse()
    status, body = answer.status, json.loads(answer.read())
    connection.close()
    return status, body


def test_limit_of_a_body_holds_for_chunks(start_handler: StartHandler) -> None:
    """A small transaction and 400 kB of blanks is as large as it is; the caller reads why."""
    service = start_handler(WEB_CONCURRENCY="1")
    body = json.dumps(TRANSACTION).encode()
    assert send_in_chunks(service.port, iter([body]))[0] == 200
    status, answer = send_in_chunks(service.port, iter([body, *[b" " * 4096] * 100]))
    assert (status, answer["error"]["type"]) == (413, "too_large")  # type: ignore[index]


@pytest.mark.skipif(not socket.has_ipv6, reason="this machine has no IPv6")
def test_ipv6_address_can_be_listened_on(model_dir: Path, tmp_path: Path) -> None:
    service = Handler(tmp_path / "v6", model_dir, HOST="::1", WEB_CONCURRENCY="1")
    service.launch()
    try:
        url = f"http://[::1]:{service.port}/health/ready"

        def is_ready() -> bool:
            try:
                return requests.get(url, timeout=5).ok
            except requests.ConnectionError:
                return False

        until(is_ready, 60, "the handler answers at ::1")
    finally:
        service.terminate()


def test_state_dir_that_is_a_file_stops_the_start_with_a_sentence(
    tmp_path: Path, model_dir: Path
) -> None:
    file = tmp_path / "file"
    file.touch()
    done = subprocess.run(
        [sys.executable, "-m", "gunicorn", "-c", "gunicorn.conf.py", "handler:build()"],
        cwd=ROOT,
        env=clean_environment()
        | {"STATE_DIR": str(file), "MODEL_DIR": str(model_dir), "PORT": str(free_port())},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode != 0
    assert "STATE_DIR must be a folder that can be written" in done.stderr
    assert "Traceback" not in done.stderr
