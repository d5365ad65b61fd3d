"""Keeps the processes of Procfile.native running together, under honcho.

honcho starts them, collects what they print, and ends all when one ends. Added here: they end in
order (who sends before who receives, so that the last values arrive), also where two supervisors
share them, and none is left behind.
"""

from __future__ import annotations

import json
import multiprocessing
import os
import shlex
import signal
import sys
from pathlib import Path

from honcho.environ import parse_procfile
from honcho.manager import Manager

from stack.supervision.logs import LogFiles
from stack.supervision.parent_death import die_with_parent
from stack.supervision.records import (
    ProcessRecord,
    find_running,
    read_records,
    stop_processes,
    wait_for_end,
)

PROCFILE = "Procfile.native"
RECORDS = "processes"
FAILURE = "failure.json"
# In the order of stopping; seconds until SIGKILL. The handler's is above its SHUTDOWN_SECONDS.
GRACE_SECONDS = {
    "simulator": 3.0,
    "handler": 10.0,
    "otelcol": 5.0,
    "prometheus-agent": 5.0,
    "reverse-proxy": 3.0,
    "cortex-1": 10.0,
    "cortex-2": 10.0,
    "cortex-3": 10.0,
    "prometheus": 10.0,
    "alertmanager": 5.0,
    "grafana": 5.0,
}

# What honcho sets as return code when it was asked to end: 128 + SIGINT, 128 + SIGTERM.
_SIGNALLED = (130, 143)


class OrderedManager(Manager):  # type: ignore[misc]  # honcho publishes no types
    """A honcho manager whose processes end one after the other."""

    def __init__(self, names: list[str], records: Path, logs: LogFiles) -> None:
        super().__init__(printer=logs)
        self._names = names
        self._records = records
        self._ended = False
        self.died: list[str] = []
        """Processes that ended although nobody asked them to."""

    def terminate(self) -> None:
        """Ends all processes; honcho calls it for a signal and when a process ended by itself."""
        if self._ended:
            return
        self._ended = True
        records = {record.name: record for record in read_records(self._records)}
        if self.returncode not in _SIGNALLED:
            self.died = [name for name in self._names if not _is_running(records.get(name))]
        left = [name for name in GRACE_SECONDS if name in self._names]
        for name, grace in GRACE_SECONDS.items():
            if name in left:
                left.remove(name)
                if name in records:
                    stop_processes([records[name]], grace)
            elif left and name in records and not self.died:
                # Another supervisor's that sends to those left, and is asked at the same time.
                wait_for_end(records[name], grace)

    def kill(self) -> None:
        """Nothing is left to do: `terminate` waits for each process and kills what stays."""


def _is_running(record: ProcessRecord | None) -> bool:
    return record is not None and find_running(record) is not None


def supervise(root: Path, run: Path, logs: Path, names: list[str]) -> int:
    """Runs the processes named until a signal or until one ends; 1 when one ended by itself."""
    die_with_parent()
    if sys.platform == "linux":
        # honcho forks a small process for each command; these must not outlive this one either.
        multiprocessing.set_start_method("fork")
        # SIGKILL, because they ignore the rest; their commands then get SIGTERM.
        os.register_at_fork(after_in_child=lambda: die_with_parent(signal.SIGKILL))
    files = LogFiles(logs)
    manager = OrderedManager(names, run / RECORDS, files)
    lines = parse_procfile((root / PROCFILE).read_text()).processes
    for name in names:
        manager.add_process(name, _launch_command(run / RECORDS, name, lines[name]), cwd=str(root))
    manager.loop()
    files.close()
    if manager.died:
        failure = {"name": manager.died[0], "exit_code": manager.returncode}
        (run / FAILURE).write_text(json.dumps(failure))
    return 1 if manager.died else 0


def _launch_command(records: Path, name: str, line: str) -> str:
    launcher = shlex.join(
        [sys.executable, "-m", "stack.supervision.launcher", str(records), name, "--"]
    )
    return f"exec {launcher} {line}"
