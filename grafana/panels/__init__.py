"""The dashboards, one file each: a module here declares `DASHBOARD`, and that is all that a new one
takes (then `make generate`). Everything else asks `dashboards()`.
"""

from __future__ import annotations

import pkgutil
from importlib import import_module

from grafana.dashboard import Dashboard
from grafana.errors import GrafanaError


def dashboards() -> dict[str, Dashboard]:
    """Every dashboard by the name of its file, in alphabetical order."""
    names = sorted(module.name for module in pkgutil.iter_modules(__path__))
    found = {name: _dashboard_of(name) for name in names}
    uids = [dashboard.uid for dashboard in found.values()]
    for name, dashboard in found.items():
        if uids.count(dashboard.uid) > 1:
            raise GrafanaError(
                f"grafana/panels/{name}.py: another dashboard has the uid {dashboard.uid!r}"
            )
    return found


def _dashboard_of(name: str) -> Dashboard:
    declared = getattr(import_module(f"{__name__}.{name}"), "DASHBOARD", None)
    if not isinstance(declared, Dashboard):
        raise GrafanaError(
            f"grafana/panels/{name}.py must declare DASHBOARD, a grafana.dashboard.Dashboard"
        )
    return declared
