"""A published model, trained for the tests."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from tests.lab.paths import ROOT


def train_model(models: Path, *options: str) -> Path:
    """Train the default model (or what the options of `python -m model train` say) and publish it
    in the folder, which is given back."""
    subprocess.run(
        [sys.executable, "-m", "model", "train", "--models", str(models), *options],
        cwd=ROOT,
        check=True,
        capture_output=True,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )
    return models
