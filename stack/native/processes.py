"""The local processes of one start, under the supervisor."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from stack.errors import StackError
from stack.settings import MINIMAL_PORTS, NATIVE_PORTS, Settings
from stack.supervision.logs import read_tail
from stack.supervision.records import find_running, read_records, stop_processes
from stack.supervision.supervisor import FAILURE, GRACE_SECONDS, RECORDS

ALL = tuple(reversed(GRACE_SECONDS))
MINIMAL = ("handler", "simulator")
# Every process may use up its grace, one after the other.
STOP_SECONDS = sum(GRACE_SECONDS.values()) + 3


def ports_of(names: tuple[str, ...]) -> tuple[str, ...]:
    """The port settings that these processes listen on."""
    return NATIVE_PORTS if "otelcol" in names else MINIMAL_PORTS


@dataclass
class SupervisedProcesses:
    """The supervised processes of one start."""

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


def start(
    settings: Settings, names: tuple[str, ...], env: Mapping[str, str]
) -> SupervisedProcesses:
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
    return SupervisedProcesses(settings, names, process)


def stop_left_over(settings: Settings, announce: Callable[[str], None]) -> None:
    """Ends what an earlier start that was killed left behind."""
    left = [one for one in read_records(settings.run / RECORDS) if find_running(one) is not None]
    if left:
        announce(f"Ending what an earlier start left behind: {', '.join(r.name for r in left)}.")
        stop_processes(left, grace_seconds=5)
