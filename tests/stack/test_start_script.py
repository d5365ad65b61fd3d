"""start_mlops.sh: thin, quiet, clear."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SCRIPT = ROOT / "start_mlops.sh"


def start(
    *arguments: str, cwd: Path | None = None, env: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    command = ["bash", str(SCRIPT), *arguments]
    return subprocess.run(command, capture_output=True, text=True, cwd=cwd, env=env)


def test_it_is_executable() -> None:
    assert os.access(SCRIPT, os.X_OK)


def test_shellcheck_finds_nothing() -> None:
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    shellcheck = shutil.which("shellcheck", path=path)
    assert shellcheck is not None
    said = subprocess.run([shellcheck, str(SCRIPT)], capture_output=True, text=True)
    assert said.returncode == 0, said.stdout


def test_help_names_every_command(tmp_path: Path) -> None:
    said = start("--help", cwd=tmp_path)
    assert said.returncode == 0
    for word in ("stop", "status", "traces", "clean", "--native", "--docker", "PROMETHEUS_PORT"):
        assert word in said.stdout


def test_an_unknown_command_is_wrong_usage() -> None:
    said = start("strat")
    assert said.returncode == 2
    assert "unknown command 'strat'" in said.stderr


@pytest.fixture
def bare_path(tmp_path: Path) -> str:
    """A PATH with the shell's helpers and no Python."""
    tools = tmp_path / "bin"
    tools.mkdir()
    for name in ("bash", "dirname", "uname", "cat"):
        found = shutil.which(name)
        assert found is not None
        (tools / name).symlink_to(found)
    return str(tools)


def test_a_missing_python_is_reported_in_one_sentence(bare_path: str) -> None:
    said = start(env={"PATH": bare_path})
    assert said.returncode == 1
    assert said.stderr.startswith("error: Python 3.11 or newer")
    assert "apt install python3-venv" in said.stderr


def test_an_old_python_does_not_count(bare_path: str) -> None:
    fake = Path(bare_path) / "python3"
    fake.write_text("#!/bin/sh\nexit 1\n")
    fake.chmod(0o755)
    assert "Python 3.11 or newer" in start(env={"PATH": bare_path}).stderr
