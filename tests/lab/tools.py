"""Where the real programs are; they are built when missing, as a start would."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from tests.lab.paths import ROOT


def tools_folder() -> Path:
    """The folder with `otelcol`, `prometheus` and `promtool`, built from the present sources."""
    subprocess.run([sys.executable, "-m", "stack", "build"], cwd=ROOT, check=True)
    return ROOT / (os.environ.get("STACK_TOOLS_DIR") or ".tools/bin")
