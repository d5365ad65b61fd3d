"""The local processes of one start, under the supervisor."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from stack.errors import StackError
from stack.native import cortex
from stack.settings import (
    CORTEX,
    CORTEX_PORT,
    GRAFANA_PORT,
    MINIMAL_PORTS,
    NATIVE_PORTS,
    PROMETHEUS,
    Settings,
)
from stack.supervision.logs import read_tail
from stack.supervision.records import find_running, read_records, stop_processes
from stack.supervision.supervisor import FAILURE, GRACE_SECONDS, RECORDS

SERVICE = ("handler", "simulator")
# By store.
MONITORING = {
    PROMETHEUS: ("prometheus", "alertmanager", "otelcol"),
    CORTEX: (*cortex.NODES, cortex.PROXY, cortex.AGENT, "alertmanager", "otelcol"),
}
# Every process may use up its grace, one after the other.
STOP_SECONDS = sum(GRACE_SECONDS.values()) + 3


def ports_of(names: tuple[str, ...]) -> tuple[str, ...]:
    """The port settings that these processes listen on."""
    wanted: tuple[str, ...] = MINIMAL_PORTS if "handler" in names else ()
    if "otelcol" in names:
        wanted += tuple(port for port in NATIVE_PORTS if port not in MINIMAL_PORTS)
    if cortex.NODES[0] in names:
        wanted += (CORTEX_PORT.name,)
    return (*wanted, GRAFANA_PORT.name) if "grafana" in names else wanted


@dataclass
class SupervisedProcesses:
    """Processes under one supervisor."""

    settings: Settings
    names: tuple[str, ...]
    process: subprocess.Popen[bytes]

    def check(self) -> None:
        """Raises StackError, with its last log lines, when a process has ended by itself."""
        if self.process.poll() is not None:
            raise StackError(self._describe_failure())

    def stop(self) -> None:
        """Ends every process, in order, within a bounded time."""
        self.process.terminate()
        try:
            self.process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.kill()

    def kill(self) -> None:
        """Ends every process at once."""
        stop_processes(read_records(self.settings.run / RECORDS), grace_seconds=0)
        self.process.kill()
        self.process.wait()

    def _describe_failure(self) -> str:
        try:
            failure = json.loads((self.settings.run / FAILURE).read_text())
            name, code = str(failure["name"]), failure["exit_code"]
        except (OSError, ValueError, KeyError):
            name, code = "stack", self.process.returncode
        log = self.settings.logs / f"{name}.log"
        last_lines = "".join(f"\n  {line}" for line in read_tail(log))
        shown = log.relative_to(self.settings.root)
        return (
            f"{name} ended by itself with exit code {code}, so everything was stopped;"
            f" the end of {shown}:{last_lines}"
        )


@dataclass
class RunningProcesses:
    """All processes of one start: those that serve come first, those that watch may follow."""

    settings: Settings
    groups: list[SupervisedProcesses] = field(default_factory=list)

    def __post_init__(self) -> None:
        records = self.settings.run / RECORDS
        shutil.rmtree(records, ignore_errors=True)
        records.mkdir(parents=True)
        (self.settings.run / FAILURE).unlink(missing_ok=True)

    def start(self, names: tuple[str, ...], env: Mapping[str, str]) -> None:
        """Starts the processes of Procfile.native that are named, under one more supervisor."""
        self.groups.append(_start(self.settings, names, env))

    @property
    def running(self) -> bool:
        """True while there is something to end."""
        return any(group.process.poll() is None for group in self.groups)

    def check(self) -> None:
        """Raises StackError, with its last log lines, when a process has ended by itself."""
        for group in self.groups:
            group.check()

    def stop(self) -> None:
        """Ends every process, who sends before who receives, within a bounded time."""
        for group in self.groups:
            group.stop()

    def kill(self) -> None:
        """Ends every process at once."""
        for group in self.groups:
            group.kill()


def _start(
    settings: Settings, names: tuple[str, ...], env: Mapping[str, str]
) -> SupervisedProcesses:
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
    return SupervisedProcesses(settings, names, process)


def stop_left_over(settings: Settings, announce: Callable[[str], None]) -> None:
    """Ends what an earlier start that was killed left behind."""
    left = [one for one in read_records(settings.run / RECORDS) if find_running(one) is not None]
    if left:
        announce(f"Ending what an earlier start left behind: {', '.join(r.name for r in left)}.")
        stop_processes(left, grace_seconds=5)
