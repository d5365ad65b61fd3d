"""Which programs a native start uses: of the PATH, built before, or to build."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from stack import build
from stack.native import path_programs
from stack.native.grafana import Grafana, find_grafana
from stack.native.path_programs import OnPath
from stack.settings import CORTEX, PROMETHEUS, Settings


@dataclass(frozen=True)
class Programs:
    """Where each program is or will be, and which of them must be built first."""

    otelcol: Path
    prometheus: Path
    alertmanager: Path
    to_build: tuple[str, ...]
    cortex: Path | None = None
    """None where Prometheus is the store."""
    grafana: Grafana | None = None
    remarks: tuple[str, ...] = ()
    """What was found on the PATH, and whether it is taken; lines."""

    @property
    def store(self) -> str:
        """What keeps the metrics."""
        return PROMETHEUS if self.cortex is None else CORTEX

    @property
    def available(self) -> bool:
        """False when something must be built and there is no Go to do it."""
        return not self.to_build or build.find_go() is not None


def choose_programs(settings: Settings, store: str = PROMETHEUS) -> Programs:
    """The Collector is always the project's own: its configuration needs exactly those parts.

    Beside Cortex there is a Prometheus too: it scrapes and forwards.
    """
    prometheus = path_programs.find(path_programs.PROMETHEUS)
    alertmanager = path_programs.find(path_programs.ALERTMANAGER)
    grafana, said_of_grafana = find_grafana()
    found = [each for each in (prometheus, alertmanager) if each is not None]
    taken = {each.wanted.name for each in found if each.fits}
    names = ["otelcol", "prometheus", "alertmanager", *([CORTEX] if store == CORTEX else [])]
    wanted = [name for name in names if name not in taken]
    return Programs(
        otelcol=settings.tools / "otelcol",
        prometheus=_choose(prometheus, settings.tools / "prometheus"),
        alertmanager=_choose(alertmanager, settings.tools / "alertmanager"),
        to_build=_find_stale(settings, wanted),
        cortex=settings.tools / "cortex" if store == CORTEX else None,
        grafana=grafana,
        remarks=(*(each.describe() for each in found), *said_of_grafana),
    )


def _choose(found: OnPath | None, built: Path) -> Path:
    return found.path if found is not None and found.fits else built


def _find_stale(settings: Settings, wanted: list[str]) -> tuple[str, ...]:
    known = build.read_programs(settings.root)
    stale = [name for name in wanted if not build.is_current(known[name], settings.tools)]
    if build.find_go() is None:
        # Built for an older state of the sources is better than not there.
        stale = [name for name in stale if not os.access(settings.tools / name, os.X_OK)]
    return tuple(stale)
