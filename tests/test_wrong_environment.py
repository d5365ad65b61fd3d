"""A tool that is asked in an environment without its packages says which one has them."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tests.lab.paths import ROOT

ASKED = (
    "import runpy, sys; sys.modules[{missing!r}] = None; runpy.run_module({tool!r}, None, {main!r})"
)


@pytest.mark.parametrize(
    ("tool", "missing", "environment"),
    [
        ("prometheus", "yaml", "ops"),
        ("grafana", "yaml", "ops"),
        ("model", "numpy", "train"),
    ],
)
def test_missing_package_is_one_sentence(tool: str, missing: str, environment: str) -> None:
    code = ASKED.format(missing=missing, tool=tool, main="__main__")
    said = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert said.returncode == 1
    assert said.stderr == (
        f"{tool}: {missing} is not installed here; ask .venv/{environment}/bin/python -m {tool}\n"
    )
