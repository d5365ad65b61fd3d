"""The stack as local processes: what must be made first, the processes, and their environment."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from . import build, environments
from .commands import Commands
from .errors import StackError
from .logs import tail
from .processes import alive, read_records, stop
from .progress import Board
from .settings import NATIVE_PORTS, NATIVE_PORTS_WITHOUT_TOOLS, Settings
from .supervisor import FAILURE, GRACE_SECONDS, RECORDS
from .tools import Tools

ALL = ("alertmanager", "prometheus", "otelcol", "handler", "simulator")
WITHOUT_TOOLS = ("handler", "simulator")
# Port in prometheus/targets -> the setting that moves it.
_TARGETS = {
    "9090": "PROMETHEUS_PORT",
    "8888": "COLLECTOR_METRICS_PORT",
    "9093": "ALERTMANAGER_PORT",
}
# Every process may use up its grace, one after the other.
STOP_SECONDS = sum(GRACE_SECONDS.values()) + 3


def ports_of(names: tuple[str, ...]) -> tuple[str, ...]:
    """The port settings that these processes listen on."""
    return NATIVE_PORTS if "otelcol" in names else NATIVE_PORTS_WITHOUT_TOOLS


@dataclass
class Preparation:
    """Makes what is missing: environments and model beside the programs built from Go modules."""

    settings: Settings
    board: Board
    commands: Commands

    def run(self, to_build: tuple[str, ...]) -> StackError | None:
        """Gives what kept a program from being built; raises StackError for all the rest."""
        with ThreadPoolExecutor(max_workers=2) as both:
            programs = both.submit(self._build, to_build)
            python = both.submit(self._make_python_side)
            try:
                python.result()
                return programs.result()
            except BaseException:
                # Not left to run behind an error or a Ctrl-C.
                self.commands.cancel()
                raise

    def _build(self, names: tuple[str, ...]) -> StackError | None:
        settings = self.settings
        try:
            build.ensure(settings.root, list(names), settings.tools, self.board, self.commands)
        except StackError as error:
            return error
        return None

    def _make_python_side(self) -> None:
        root = self.settings.root
        environments.ensure(root, ["serve"], self.board, self.commands)
        if not has_model(root):
            environments.ensure(root, ["train"], self.board, self.commands)
            self._train()

    def _train(self) -> None:
        root = self.settings.root
        task = self.board.start("model", "training")
        train = [str(environments.python_of(root, "train")), "-m", "model", "train"]
        try:
            self.commands.run("training the model", train, cwd=root, on_line=task.tell)
        except BaseException:
            self.board.finish(task, "not trained", failed=True)
            raise
        self.board.finish(task, "trained")


def has_model(root: Path) -> bool:
    """True when a model was published."""
    return (root / (os.environ.get("MODEL_DIR") or "models") / "champion").exists()


def environment(
    settings: Settings, tools: Tools | None, given: Mapping[str, str]
) -> dict[str, str]:
    """What the processes get: all that was given, loopback addresses, data under .run/."""
    defaults = {
        "HOST": "127.0.0.1",
        # Locally every 15 s; towards a cloud samples cost.
        "OTEL_METRIC_EXPORT_INTERVAL": "15000",
        # Ctrl-C should not take long; requests take milliseconds.
        "SHUTDOWN_SECONDS": "4",
        "STATE_DIR": str(settings.run / "handler"),
    }
    fixed = {
        "PORT": str(settings.ports["PORT"]),
        "SIMULATOR_TARGET": settings.url("PORT"),
        "PYTHONUNBUFFERED": "1",
    }
    without_tools = {"OTEL_METRICS_EXPORTER": "none", "OTEL_TRACES_EXPORTER": "none"}
    chosen = {name: given.get(name) or default for name, default in defaults.items()}
    plumbing = _plumbing(settings, tools) if tools else without_tools
    return {**given, **chosen, **fixed, **plumbing}


def _plumbing(settings: Settings, tools: Tools) -> dict[str, str]:
    ports = settings.ports
    return {
        "OTEL_EXPORTER_OTLP_ENDPOINT": settings.url("OTLP_PORT"),
        "OTLP_HTTP_ENDPOINT": f"127.0.0.1:{ports['OTLP_PORT']}",
        "COLLECTOR_HEALTH_ENDPOINT": f"127.0.0.1:{ports['COLLECTOR_HEALTH_PORT']}",
        "COLLECTOR_METRICS_HOST": "127.0.0.1",
        "COLLECTOR_METRICS_PORT": str(ports["COLLECTOR_METRICS_PORT"]),
        "COLLECTOR_QUEUE_DIR": str(settings.run / "collector-queue"),
        "PROMETHEUS_URL": settings.url("PROMETHEUS_PORT"),
        "PROMETHEUS_PORT": str(ports["PROMETHEUS_PORT"]),
        "ALERTMANAGER_PORT": str(ports["ALERTMANAGER_PORT"]),
        "ALERTMANAGER_DIR": str(settings.run / "alertmanager"),
        "STACK_OTELCOL": str(tools.otelcol),
        "STACK_PROMETHEUS": str(tools.prometheus),
        "STACK_ALERTMANAGER": str(tools.alertmanager),
    }


def place_prometheus_config(settings: Settings) -> None:
    """.run/prometheus-config: prometheus/ itself, but with the addresses of this start."""
    source, folder = settings.root / "prometheus", settings.run / "prometheus-config"
    shutil.rmtree(folder, ignore_errors=True)
    (folder / "targets" / "alertmanager").mkdir(parents=True)
    for name in ("prometheus.yml", "rules"):
        (folder / name).symlink_to(source / name)
    for name in ("native.yml", "alertmanager/native.yml"):
        targets = (source / "targets" / name).read_text()
        for default, setting in _TARGETS.items():
            here = f"127.0.0.1:{settings.ports[setting]}"
            targets = targets.replace(f"localhost:{default}", here)
        (folder / "targets" / name).write_text(targets)


@dataclass
class Native:
    """The supervised processes of one start."""

    settings: Settings
    names: tuple[str, ...]
    process: subprocess.Popen[bytes]

    def check(self) -> None:
        """Raises StackError, with its last log lines, when a process has ended by itself."""
        if self.process.poll() is not None:
            raise StackError(self._failure())

    def stop(self) -> None:
        """Ends every process, in order, within a bounded time."""
        self.process.terminate()
        try:
            self.process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.kill()

    def kill(self) -> None:
        """Ends every process at once."""
        stop(read_records(self.settings.run / RECORDS), grace_seconds=0)
        self.process.kill()
        self.process.wait()

    def _failure(self) -> str:
        try:
            failure = json.loads((self.settings.run / FAILURE).read_text())
            name, code = str(failure["name"]), failure["exit_code"]
        except (OSError, ValueError, KeyError):
            name, code = "stack", self.process.returncode
        log = self.settings.logs / f"{name}.log"
        last = "".join(f"\n  {line}" for line in tail(log))
        shown = log.relative_to(self.settings.root)
        return (
            f"{name} ended by itself with exit code {code}, so everything was stopped;"
            f" the end of {shown}:{last}"
        )


def start(settings: Settings, names: tuple[str, ...], env: Mapping[str, str]) -> Native:
    """Starts the processes of Procfile.native that are named, under the supervisor."""
    records = settings.run / RECORDS
    shutil.rmtree(records, ignore_errors=True)
    records.mkdir(parents=True)
    (settings.run / FAILURE).unlink(missing_ok=True)
    settings.logs.mkdir(exist_ok=True)
    with (settings.logs / "stack.log").open("ab") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "stack", "supervise", *names],
            cwd=settings.root,
            env=dict(env),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            # Ctrl-C goes to the process at the terminal alone, which then ends the others in order.
            start_new_session=True,
        )
    return Native(settings, names, process)


def stop_left_over(settings: Settings, tell: Callable[[str], None]) -> None:
    """Ends what an earlier start that was killed left behind."""
    left = [one for one in read_records(settings.run / RECORDS) if alive(one) is not None]
    if left:
        tell(f"Ending what an earlier start left behind: {', '.join(r.name for r in left)}.")
        stop(left, grace_seconds=5)
