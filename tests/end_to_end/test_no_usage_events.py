"""Nothing calls home: ONNX Runtime's usage events are off wherever the model is loaded."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from tests.lab.paths import ROOT


def test_onnxruntime_is_configured_before_its_import(tmp_path: Path) -> None:
    """A process with an empty home that imports the scorer leaves no device id in it."""
    environ = {name: value for name, value in os.environ.items() if not name.startswith("ORT_")}
    subprocess.run(
        [sys.executable, "-c", "import model.serving.scorer"],
        cwd=ROOT,
        env={**environ, "HOME": str(tmp_path), "XDG_CACHE_HOME": str(tmp_path / "cache")},
        check=True,
    )
    assert not [path for path in tmp_path.rglob("*") if "Microsoft" in path.parts]
