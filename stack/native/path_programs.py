"""Programs that this machine has already: taken from the PATH where their version fits."""

from __future__ import annotations

import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

Version = tuple[int, ...]
_VERSION = re.compile(r"version (\d+)\.(\d+)(?:\.(\d+))?", re.IGNORECASE)
ANSWER_SECONDS = 10


@dataclass(frozen=True)
class Wanted:
    """A program, its names on the PATH, and the oldest version whose configuration is the one here.

    `because` is the reason for that version.
    """

    name: str
    commands: tuple[str, ...]
    oldest: Version
    because: str


PROMETHEUS = Wanted(
    "prometheus", ("prometheus",), (3, 11), "it reads the retention in prometheus.yml right"
)
# Debian's package has a name of its own.
ALERTMANAGER = Wanted(
    "alertmanager",
    ("alertmanager", "prometheus-alertmanager"),
    (0, 25),
    "it knows the matchers that start.sh writes",
)
GRAFANA = Wanted("grafana", ("grafana",), (11, 0), "it draws the dashboards' XY charts")


@dataclass(frozen=True)
class OnPath:
    """A program that was found; `fits` when its version is new enough."""

    wanted: Wanted
    path: Path
    version: Version | None
    """None where it does not say."""

    @property
    def fits(self) -> bool:
        """True when it can be taken."""
        return self.version is not None and self.version >= self.wanted.oldest

    def describe(self) -> str:
        """Whether it is taken, and why not: one line."""
        version = _text(self.version) if self.version else "of an unknown version"
        said = f"{self.wanted.name} {version} ({self.path})"
        if self.fits:
            return f"Taken from the PATH: {said}."
        return (
            f"Not taken from the PATH: {said}; {_text(self.wanted.oldest)} or newer is needed,"
            f" because {self.wanted.because}."
        )


def find(wanted: Wanted) -> OnPath | None:
    """The program, or None when the PATH has none."""
    for command in wanted.commands:
        found = shutil.which(command)
        if found is not None:
            return OnPath(wanted, Path(found), _ask_version(found))
    return None


def _ask_version(command: str) -> Version | None:
    try:
        said = subprocess.run(
            [command, "--version"],
            capture_output=True,
            text=True,
            errors="replace",
            timeout=ANSWER_SECONDS,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    version = _VERSION.search(said.stdout + said.stderr)
    return tuple(int(part or 0) for part in version.groups()) if version else None


def _text(version: Version) -> str:
    return ".".join(str(part) for part in version)
