"""A real push: what a worker of the real handler sends under the simulator's traffic."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

from bench.scale.sizing.push_template import PushTemplate, Request
from tests.lab.handler import Handler
from tests.lab.http_server import QuietHandler, serve
from tests.lab.paths import ROOT
from tests.lab.polling import until

RATE = 20
"""Requests a second that one worker answers, of 2,500 or more that it can (docs/performance.md)."""
_EVERY_MS = 1000


def record_push(models: Path, seconds: int, interval: float) -> PushTemplate:
    """One worker with the published model, under RATE requests a second with labels for so many
    seconds; what it counted in them is spread over pushes each `interval` seconds."""
    pushes: list[bytes] = []
    lock = threading.Lock()

    class Sink(QuietHandler):
        def do_POST(self) -> None:
            body = self.body()
            if self.path == "/v1/metrics":
                with lock:
                    pushes.append(body)
            self.answer(200)

    with serve(Sink) as sink, tempfile.TemporaryDirectory() as folder:
        settings = {
            "OTEL_EXPORTER_OTLP_ENDPOINT": sink.url,
            "OTEL_METRIC_EXPORT_INTERVAL": str(_EVERY_MS),
            "WEB_CONCURRENCY": "1",
        }
        with Handler(Path(folder), models, **settings) as handler:
            until(lambda: bool(pushes), 30, "the handler's first push")
            _send_traffic(handler.url, seconds)
            time.sleep(2 * _EVERY_MS / 1000)
    first, last = (Request.FromString(body) for body in (pushes[0], pushes[-1]))
    return PushTemplate(first, last, seconds / interval)


def _send_traffic(url: str, seconds: int) -> None:
    command = [
        sys.executable, "-m", "simulator", "--url", url, "--rate", str(RATE), "--seed", "1",
        "--duration", str(seconds), "--labels-after", "2", "--quiet",
    ]  # fmt: skip
    subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
