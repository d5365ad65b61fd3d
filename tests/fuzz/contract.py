"""Holds the running service to its own description, by schemathesis: all phases, a fixed seed."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

_CONFIG = Path(__file__).with_name("schemathesis.toml")
_CASES = re.compile(r"(\d+) generated")


def run_schemathesis(url: str, examples: int, folder: Path, seed: int = 1) -> tuple[int, str]:
    """The exit code, 0 without a failure, and the report; at most `examples` a phase and operation.

    What it writes beside the report is left in `folder`.
    """
    command = [
        str(Path(sys.executable).with_name("schemathesis")), "--no-color",
        "--config-file", str(_CONFIG), "run", f"{url}/openapi.json",
        "--continue-on-failure", "--request-timeout", "10",
        "--max-examples", str(examples), "--seed", str(seed),
    ]  # fmt: skip
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout + done.stderr


def count_cases(report: str) -> int:
    """How many requests the report is about."""
    found = _CASES.search(report)
    return int(found[1]) if found else 0
