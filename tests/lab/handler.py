"""The real handler under gunicorn."""

from __future__ import annotations

import os
import signal
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import requests

from tests.lab.paths import ROOT
from tests.lab.polling import answers
from tests.lab.ports import free_port
from tests.lab.program import Program


class Handler(Program):
    """The service with the model of a folder; what it counts outlives a restart, in `state`.

    It exports nothing unless the settings name an OTEL_EXPORTER_OTLP_ENDPOINT. `application` is
    what gunicorn runs: another one to measure beside it, or a changed one.
    """

    ready_seconds = 60

    def __init__(
        self, folder: Path, models: Path, application: str = "handler:build()", **settings: str
    ) -> None:
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.state = folder / "state"
        own = {
            "PORT": str(self.port),
            "MODEL_DIR": str(models),
            "STATE_DIR": str(self.state),
            "LOG_LEVEL": "info",
            "PYTHONPATH": str(ROOT),
        }
        silent = {"OTEL_METRICS_EXPORTER": "none", "OTEL_TRACES_EXPORTER": "none"}
        if "OTEL_EXPORTER_OTLP_ENDPOINT" in settings:
            silent = {}
        super().__init__(
            [
                sys.executable, "-m", "gunicorn", "--chdir", str(ROOT),
                "-c", str(ROOT / "gunicorn.conf.py"), application,
            ],
            folder / "log",
            own | silent | settings,
        )  # fmt: skip

    def is_ready(self) -> bool:
        """It is ready by its own word."""
        return answers(f"{self.url}/health/ready")

    def workers(self) -> list[int]:
        """Process ids of the workers."""
        assert self.process is not None
        return [child.pid for child in psutil.Process(self.process.pid).children()]

    def kill_worker(self) -> None:
        """End one worker by SIGKILL, in the middle of whatever it does."""
        os.kill(self.workers()[0], signal.SIGKILL)

    def recycle_worker(self) -> None:
        """Let one worker finish what it does and be replaced, as after its last request."""
        os.kill(self.workers()[-1], signal.SIGTERM)

    def stop_master(self) -> None:
        """End the service as a platform does, without waiting for it."""
        assert self.process is not None
        self.process.send_signal(signal.SIGTERM)

    @contextmanager
    def half_a_request(self) -> Iterator[None]:
        """A client that has sent half of a body and waits."""
        with socket.create_connection(("127.0.0.1", self.port), 10) as connection:
            connection.sendall(b"POST /predict HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n{")
            yield

    def exposition(self) -> str:
        """The text of `/metrics`."""
        answer = requests.get(f"{self.url}/metrics", timeout=30)
        assert answer.status_code == 200
        return answer.text
