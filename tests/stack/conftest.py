"""A small project of its own: `stack/` with harmless processes in place of the service; and the
whole service, really started by start_mlops.sh in a copy of the project."""

from __future__ import annotations

import io
import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import psutil
import pytest

from stack import build, environments
from stack.progress import ProgressDisplay
from stack.settings import NATIVE_PORTS
from stack.subprocesses import SubprocessRunner
from stack.supervision.records import read_records
from tests.lab.polling import until
from tests.lab.ports import free_port

ROOT = Path(__file__).resolve().parents[2]
Spawn = Callable[..., subprocess.Popen[str]]
READY = "predictions and growing"
NOT_COPIED = shutil.ignore_patterns(".*", "logs", "models", "__pycache__", "tests", "docs", "bench")


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


@pytest.fixture(scope="session")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The project in a folder with a space in its name: this one's environments, a fresh model."""
    with ProgressDisplay(io.StringIO()) as display:
        environments.ensure(ROOT, ["ops", "serve"], display, SubprocessRunner())
        tools = ROOT / ".tools" / "bin"
        build.ensure(
            ROOT, ["otelcol", "prometheus", "alertmanager"], tools, display, SubprocessRunner()
        )
    root = tmp_path_factory.mktemp("copies") / "a project"
    shutil.copytree(ROOT, root, ignore=NOT_COPIED)
    (root / ".venv").symlink_to(ROOT / ".venv")
    subprocess.run(
        [sys.executable, "-m", "model", "train"], cwd=root, check=True, capture_output=True
    )
    return root


@pytest.fixture
def env() -> dict[str, str]:
    """Free ports, the programs built before, and a push each second."""
    chosen = {name: str(free_port()) for name in NATIVE_PORTS}
    return {
        **os.environ,
        **chosen,
        "STACK_TOOLS_DIR": str(ROOT / ".tools" / "bin"),
        "OTEL_METRIC_EXPORT_INTERVAL": "1000",
    }


class Stack:
    """A started `start_mlops.sh`, as somebody at a terminal sees it."""

    def __init__(self, copy: Path, process: subprocess.Popen[str], output: Path) -> None:
        self.copy = copy
        self.process = process
        self._output = output

    def said(self) -> str:
        return self._output.read_text()

    def wait_until_ready(self) -> list[psutil.Process]:
        """All the processes of the ready stack."""

        def ready() -> bool:
            assert self.process.poll() is None, self.said()
            return READY in self.said() and "Ctrl-C" in self.said()

        until(ready, 300, "the stack is ready")
        return psutil.Process(self.process.pid).children(recursive=True)

    def other_terminal(self, *words: str, **env: str) -> subprocess.CompletedProcess[str]:
        """Another start_mlops.sh beside the running one."""
        return subprocess.run(
            [str(self.copy / "start_mlops.sh"), *words],
            env={**os.environ, **env},
            capture_output=True,
            text=True,
            timeout=120,
        )


@pytest.fixture
def start(copy: Path, tmp_path: Path, spawn: Spawn) -> Iterator[Callable[..., Stack]]:
    """start(env, *words): the script, run from another folder, in a process group of its own."""

    def run(env: dict[str, str], *words: str) -> Stack:
        output = tmp_path / "output"
        with output.open("w") as file:
            process = spawn(
                [str(copy / "start_mlops.sh"), *words],
                cwd="/",
                env=env,
                stdout=file,
                stderr=file,
                start_new_session=True,
            )
        return Stack(copy, process, output)

    yield run
    until(lambda: not running(copy), 30, "all its programs have ended")


def running(copy: Path) -> list[int]:
    """The process ids that the copy's stack has still running."""
    records = read_records(copy / ".run" / "processes")
    return [record.pid for record in records if not gone(record.pid)]
