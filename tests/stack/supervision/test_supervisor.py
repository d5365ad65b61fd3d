"""The processes live and end together, in order, and none is left behind."""

from __future__ import annotations

import json
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path
from subprocess import Popen

import psutil
import pytest

from stack.supervision.records import read_records
from tests.lab.polling import until
from tests.stack.conftest import gone

Spawn = Callable[..., Popen[str]]

# Each notes when it was asked to end; the last one does not end by itself.
WORKER = """
import pathlib, signal, sys, time
name = sys.argv[1]
def end(*_):
    with open("ended", "a") as file:
        file.write(name + "\\n")
    print("bye")
    sys.exit(0)
signal.signal(signal.SIGTERM, end)
print(name, "runs")
while True:
    time.sleep(0.1)
    if pathlib.Path(name + ".die").exists():
        sys.exit(7)
"""
NAMES = ["alertmanager", "prometheus", "otelcol", "handler", "simulator"]


@pytest.fixture
def supervised(project: Path, spawn: Spawn) -> Popen[str]:
    """The supervisor with four running workers."""
    (project / "worker.py").write_text(WORKER)
    lines = [f'{name}: "{sys.executable}" -u worker.py {name}' for name in NAMES]
    (project / "Procfile.native").write_text("# four workers\n" + "\n".join(lines) + "\n")
    process = spawn([sys.executable, "-m", "stack", "supervise", *NAMES], cwd=project)
    until(lambda: all("runs" in log(project, name) for name in NAMES), 60, "all run")
    return process


def log(project: Path, name: str) -> str:
    path = project / "logs" / f"{name}.log"
    return path.read_text() if path.exists() else ""


def pids(project: Path) -> list[int]:
    return [record.pid for record in read_records(project / ".run" / "processes")]


def test_a_signal_ends_senders_before_receivers(project: Path, supervised: Popen[str]) -> None:
    supervised.send_signal(signal.SIGTERM)
    assert supervised.wait(20) == 0
    ended = (project / "ended").read_text().split()
    assert ended == ["simulator", "handler", "otelcol", "prometheus", "alertmanager"]
    assert len(pids(project)) == len(NAMES) and all(gone(pid) for pid in pids(project))
    assert log(project, "handler").splitlines() == ["handler runs", "bye"]


def test_a_process_that_dies_ends_the_rest_and_is_named(
    project: Path, supervised: Popen[str]
) -> None:
    (project / "otelcol.die").touch()
    assert supervised.wait(20) == 1
    failure = json.loads((project / ".run" / "failure.json").read_text())
    assert failure == {"name": "otelcol", "exit_code": 7}
    assert all(gone(pid) for pid in pids(project))


def test_a_command_that_cannot_start_is_named(project: Path, spawn: Spawn) -> None:
    (project / "Procfile.native").write_text("handler: no-such-program --flag\n")
    process = spawn([sys.executable, "-m", "stack", "supervise", "handler"], cwd=project)
    assert process.wait(20) == 1
    assert "no-such-program cannot be started" in log(project, "handler")
    assert json.loads((project / ".run" / "failure.json").read_text())["name"] == "handler"


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a child of its parent's end")
def test_nothing_outlives_a_killed_supervisor(project: Path, supervised: Popen[str]) -> None:
    everyone = psutil.Process(supervised.pid).children(recursive=True)
    assert len(everyone) >= 8
    supervised.kill()
    until(lambda: all(gone(process.pid) for process in everyone), 60, "all have ended")


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a child of its parent's end")
def test_nothing_outlives_the_parent_of_the_supervisor(
    project: Path, spawn: Spawn, supervised: Popen[str]
) -> None:
    """The terminal's process is killed: the supervisor then ends the rest in order."""
    supervised.terminate()
    supervised.wait(20)
    (project / "ended").unlink()
    code = (
        "import subprocess, sys, time;"
        f"subprocess.Popen([sys.executable, '-m', 'stack', 'supervise', *{NAMES!r}]);"
        "time.sleep(60)"
    )
    for record in read_records(project / ".run" / "processes"):
        (project / ".run" / "processes" / f"{record.name}.json").unlink()
    terminal = spawn([sys.executable, "-c", code], cwd=project)
    until(lambda: len(pids(project)) == len(NAMES), 60, "all run")
    time.sleep(0.5)
    terminal.kill()
    until(lambda: all(gone(pid) for pid in pids(project)), 60, "all have ended")
    assert (project / "ended").read_text().split()[0] == "simulator"


def test_two_supervisors_that_are_ended_at_once_keep_the_order(project: Path, spawn: Spawn) -> None:
    """As when their parent is killed: receivers wait for the senders of the other one."""
    (project / "worker.py").write_text(WORKER)
    slow = WORKER.replace("def end(*_):", "def end(*_):\n    time.sleep(0.5)")
    (project / "slow.py").write_text(slow)
    lines = [f'{name}: "{sys.executable}" -u worker.py {name}' for name in NAMES[:3]]
    lines += [f'{name}: "{sys.executable}" -u slow.py {name}' for name in NAMES[3:]]
    (project / "Procfile.native").write_text("\n".join(lines) + "\n")
    command = [sys.executable, "-m", "stack", "supervise"]
    both = [spawn([*command, *names], cwd=project) for names in (NAMES[3:], NAMES[:3])]
    until(lambda: all("runs" in log(project, name) for name in NAMES), 60, "all run")
    for process in both:
        process.send_signal(signal.SIGTERM)
    assert [process.wait(20) for process in both] == [0, 0]
    assert (project / "ended").read_text().split() == list(reversed(NAMES))
