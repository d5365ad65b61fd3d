"""Which programs a native start uses: of the PATH, built before, or to build."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from stack import build
from stack.settings import Settings

# prometheus.yml needs the OTLP receiver and the keys of version 3.
_OLDEST_PROMETHEUS = 3
_VERSION = re.compile(r"prometheus, version (\d+)\.")


@dataclass(frozen=True)
class Programs:
    """Where each program is or will be, and which of them must be built first."""

    otelcol: Path
    prometheus: Path
    alertmanager: Path
    to_build: tuple[str, ...]

    @property
    def available(self) -> bool:
        """False when something must be built and there is no Go to do it."""
        return not self.to_build or build.find_go() is not None


def choose_programs(settings: Settings) -> Programs:
    """The Collector is always the project's own: its configuration needs exactly those parts."""
    on_path = find_prometheus()
    wanted = ["otelcol", *([] if on_path else ["prometheus"]), "alertmanager"]
    known = build.read_programs(settings.root)
    stale = [name for name in wanted if not build.is_current(known[name], settings.tools)]
    if build.find_go() is None:
        # Built for an older state of the sources is better than not there.
        stale = [name for name in stale if not os.access(settings.tools / name, os.X_OK)]
    return Programs(
        otelcol=settings.tools / "otelcol",
        prometheus=on_path or settings.tools / "prometheus",
        alertmanager=settings.tools / "alertmanager",
        to_build=tuple(stale),
    )


def find_prometheus() -> Path | None:
    """The `prometheus` of the PATH when it is new enough."""
    found = shutil.which("prometheus")
    if found is None:
        return None
    try:
        said = subprocess.run(
            [found, "--version"], capture_output=True, text=True, timeout=10, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    version = _VERSION.search(said.stdout + said.stderr)
    return Path(found) if version and int(version[1]) >= _OLDEST_PROMETHEUS else None
