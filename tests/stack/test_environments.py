"""Environments are made once, and again when what they are made from changed."""

from __future__ import annotations

import io
import subprocess
import sys
import time
from pathlib import Path

import pytest

from stack import environments
from stack.progress import ProgressDisplay, Task
from stack.subprocesses import CommandFailed, SubprocessRunner
from tests.stack.conftest import without


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A project folder, with a space in its path, whose lock file asks for nothing."""
    folder = tmp_path / "a project"
    folder.mkdir()
    (folder / "requirements.txt").write_text("# nothing\n")
    return folder


def ensure(root: Path, stream: io.StringIO | None = None) -> str:
    out = stream or io.StringIO()
    with ProgressDisplay(out) as display:
        environments.ensure(root, ["serve"], display, SubprocessRunner())
    return out.getvalue()


def test_ensure_makes_a_working_interpreter_once(root: Path) -> None:
    assert "✓ environment serve: ready" in ensure(root)
    python = environments.python_of(root, "serve")
    said = subprocess.run([python, "-c", "import sys; print(sys.prefix)"], capture_output=True)
    assert said.stdout.decode().strip() == str(root / ".venv" / "serve")
    before = time.monotonic()
    assert ensure(root) == ""
    assert time.monotonic() - before < 1, "the second start does nothing"


@pytest.mark.parametrize("change", ["lock file", "stamp", "interpreter"])
def test_an_environment_is_out_of_date_after_a_change(root: Path, change: str) -> None:
    folder = root / ".venv" / "serve"
    (folder / "bin").mkdir(parents=True)
    (folder / "bin" / "python").touch()
    (folder / environments.STAMP).write_text(environments.compute_stamp(root, "serve"))
    assert environments.is_current(root, "serve")
    if change == "lock file":
        (root / "requirements.txt").write_text("# something\n")
    elif change == "stamp":
        (folder / environments.STAMP).unlink()
    else:
        (folder / "bin" / "python").unlink()
    assert not environments.is_current(root, "serve")


def test_a_failed_installation_is_reported_and_not_taken_for_whole(root: Path) -> None:
    """A requirement without its hash is refused by pip, offline too."""
    (root / "requirements.txt").write_text("flask==3.0.0\n")
    with pytest.raises(CommandFailed, match=r"requirements\.txt into \.venv/serve failed"):
        ensure(root)
    assert not environments.is_current(root, "serve")


def test_what_an_interruption_left_is_made_anew(root: Path) -> None:
    broken = root / ".venv" / "serve"
    (broken / "lib").mkdir(parents=True)
    (broken / "lib" / "half").touch()
    ensure(root)
    assert not (broken / "lib" / "half").exists()
    assert environments.is_current(root, "serve")


def test_meter_counts_the_packages() -> None:
    task = Task("environment", 0.0)
    meter = environments.InstallProgress(task, 38)
    meter.read("Collecting flask==3.1.2 (from -r requirements.txt (line 3))")
    meter.read("  Downloading flask-3.1.2-py3-none-any.whl (100 kB)")
    meter.read("Collecting numpy==2.3.0")
    assert task.text == "2/38 packages, numpy"
    meter.read("Installing collected packages: numpy, flask")
    assert task.text == "installing 2 packages"


def test_the_module_runs_without_any_package(project: Path) -> None:
    """It makes the environments, so it must not need one."""
    command = [sys.executable, "-S", "-m", "stack.environments", "--help"]
    said = subprocess.run(command, cwd=project, env=without("PYTHONPATH"), capture_output=True)
    assert said.returncode == 0 and b"serve" in said.stdout
