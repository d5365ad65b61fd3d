"""The repository's root, an environment for .railway/railway.py, the graph it compiles to."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.lab.paths import ROOT

# What the CLI does with a .py file (its documented contract): load it, call main(), take the graph.
COMPILE = """
import importlib.util, json, sys
spec = importlib.util.spec_from_file_location("railway_iac_user", sys.argv[1])
module = importlib.util.module_from_spec(spec)
spec.loader.exec_module(module)
print(json.dumps(module.main().to_graph()))
"""


@pytest.fixture(scope="session")
def root() -> Path:
    return ROOT


@pytest.fixture(scope="session")
def railway_env(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An environment made from .railway/requirements.txt, as deploy_railway.sh makes it."""
    lock = ROOT / ".railway" / "requirements.txt"
    venv = tmp_path_factory.mktemp("railway") / "venv"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(venv)], check=True)
    pip = [sys.executable, "-m", "pip", "--python", str(venv), "install", "-q", "--require-hashes"]
    subprocess.run([*pip, "-r", str(lock)], check=True)
    (venv / "installed.txt").write_bytes(lock.read_bytes())
    return venv


def compile_graph(railway_env: Path, **environ: str) -> dict[str, Any]:
    """The graph of .railway/railway.py with these variables set."""
    ran = subprocess.run(
        [str(railway_env / "bin" / "python3"), "-c", COMPILE, str(ROOT / ".railway/railway.py")],
        env={**os.environ, **environ},
        check=True,
        capture_output=True,
        text=True,
    )
    graph: dict[str, Any] = json.loads(ran.stdout)
    return graph


@pytest.fixture(scope="session")
def graph(railway_env: Path) -> dict[str, Any]:
    return compile_graph(railway_env)


@pytest.fixture(scope="session")
def services(graph: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {r["name"]: r for r in graph["resources"] if r["type"] == "service"}
