"""A small project of its own: `stack/` with harmless processes in place of the service."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import psutil
import pytest

ROOT = Path(__file__).resolve().parents[2]


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_for(condition: Callable[[], bool], seconds: float = 20.0) -> None:
    """Returns once the condition holds; fails after the deadline."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"not within {seconds} s"
        time.sleep(0.05)


def gone(pid: int) -> bool:
    """True once the process has ended, reaped or not."""
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A folder with a space in its path that holds `stack/` alone."""
    root = tmp_path / "a project"
    shutil.copytree(ROOT / "stack", root / "stack", ignore=shutil.ignore_patterns("__pycache__"))
    return root


@pytest.fixture
def spawn() -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """spawn(command, **options): a process that is killed after the test."""
    started: list[subprocess.Popen[str]] = []

    def run(command: list[str], **options: object) -> subprocess.Popen[str]:
        process = subprocess.Popen(command, text=True, **options)  # type: ignore[call-overload]
        started.append(process)
        return process  # type: ignore[no-any-return]

    yield run
    for process in started:
        process.kill()
        process.communicate()


@pytest.fixture
def serve() -> Iterator[Callable[[Callable[[], str]], str]]:
    """serve(answer): the address of a server that answers every request with answer()."""
    servers: list[ThreadingHTTPServer] = []

    def start(answer: Callable[[], str]) -> str:
        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self.rfile.read(int(self.headers.get("Content-Length") or 0))
                self.send_response(200)
                self.end_headers()
                self.wfile.write(answer().encode())

            do_POST = do_GET

            def log_message(self, format: str, *arguments: object) -> None:
                pass

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        servers.append(server)
        return f"http://127.0.0.1:{server.server_port}"

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


def python(code: str) -> list[str]:
    """The command that runs the code."""
    return [sys.executable, "-u", "-c", code]


def without(*names: str) -> dict[str, str]:
    """This environment without some variables."""
    return {name: value for name, value in os.environ.items() if name not in names}
