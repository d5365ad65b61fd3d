"""What is measured: the handler in several settings, and a bare Flask application beside it."""

from __future__ import annotations

import http.client
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from multiprocessing import Process
from pathlib import Path

from flask import Flask, Response

from bench.client import ROOT

# name -> application and settings. All have one worker with four threads.
Variants = Mapping[str, tuple[str, Mapping[str, str]]]
VARIANTS: Variants = {
    "telemetry on": ("handler:build()", {}),
    "no trace leaves": ("handler:build()", {"OTEL_TRACES_SAMPLER": "always_off"}),
    "telemetry off": ("handler:build()", {"OTEL_SDK_DISABLED": "true"}),
    "bare Flask": ("bench.servers:bare()", {}),
}


def bare() -> Flask:
    """Flask that answers a constant: what no handler of ours can be faster than."""
    app = Flask("bare")

    @app.post("/predict")
    def predict() -> Response:
        return Response('{"prediction":"legitimate"}', mimetype="application/json")

    @app.get("/health/ready")
    def ready() -> Response:
        return Response("{}")

    return app


@contextmanager
def running(variant: str, folder: Path, sink: int, variants: Variants = VARIANTS) -> Iterator[int]:
    """The variant under gunicorn; gives its port."""
    application, settings = variants[variant]
    port = _free_port()
    environment = {
        **os.environ,
        "PORT": str(port),
        "WEB_CONCURRENCY": "1",
        "LOG_LEVEL": "warning",
        "STATE_DIR": str(folder / variant.replace(" ", "-")),
        "OTEL_EXPORTER_OTLP_ENDPOINT": f"http://127.0.0.1:{sink}",
        "OTEL_METRIC_EXPORT_INTERVAL": "5000",
        **settings,
    }
    command = [sys.executable, "-m", "gunicorn", "-c", "gunicorn.conf.py", application]
    process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.DEVNULL)
    try:
        _wait(port)
        yield port
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(30)


@contextmanager
def sink() -> Iterator[int]:
    """A process that takes OTLP and throws it away; gives its port."""
    port = _free_port()
    process = Process(target=_serve_sink, args=(port,), daemon=True)
    process.start()
    try:
        yield port
    finally:
        process.kill()
        process.join()


class _Sink(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        pass


def _serve_sink(port: int) -> None:
    ThreadingHTTPServer(("127.0.0.1", port), _Sink).serve_forever()


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def _wait(port: int) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=2)
        try:
            connection.request("GET", "/health/ready")
            if connection.getresponse().status == 200:
                return
        except OSError:
            time.sleep(0.1)
        finally:
            connection.close()
    raise SystemExit(f"nothing answered on port {port} within 60 s")
