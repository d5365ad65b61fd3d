"""Every query of every panel, asked of a running Prometheus: what a reader would see."""

from __future__ import annotations

import re
import time
from collections.abc import Mapping
from dataclasses import dataclass

from grafana.dashboard import Dashboard, Query
from grafana.promql import EVERYTHING, RATE_INTERVAL, fill_in
from grafana.render.board import Json, render
from prometheus.client.query import Prometheus, Sample

_LABEL_VALUES = re.compile(r"label_values\((?P<series>.+), (?P<label>\w+)\)")
# Four push intervals, as Grafana computes $__rate_interval: 15 s here, 1 min towards the cloud.
LOCAL_RATE_INTERVAL = "1m"
CLOUD_RATE_INTERVAL = "4m"
DEFAULTS: Mapping[str, str] = {
    "version": EVERYTHING,
    "instance": EVERYTHING,
    "window": RATE_INTERVAL,
    "__rate_interval": LOCAL_RATE_INTERVAL,
    "__range": "30m",
}


@dataclass(frozen=True)
class Finding:
    """What a query of a panel gave."""

    panel: str
    query: Query
    samples: list[Sample]

    @property
    def fault(self) -> str | None:
        """Why the panel would show nothing (useful), or None; it may say why it is empty."""
        if not self.samples:
            return None if self.query.empty else "empty"
        return None if all(sample.is_number for sample in self.samples) else "NaN"


@dataclass(frozen=True)
class Choice:
    """A variable and the values that it offers."""

    name: str
    values: list[str]


def verify(
    dashboard: Dashboard, prometheus: Prometheus, at: float | None = None, **chosen: str
) -> list[Finding]:
    """Run every query at one moment, in the panels' order; `chosen` replaces the variables'
    defaults, which are the first value of what takes only one."""
    values = {**DEFAULTS, **_first_values(dashboard, prometheus, at, chosen), **chosen}
    return [
        Finding(panel.title, query, prometheus.query(fill_in(query.expression, values), at))
        for panel in dashboard.panels
        for query in panel.queries
    ]


def choices(
    dashboard: Json, prometheus: Prometheus, at: float | None = None, **chosen: str
) -> list[Choice]:
    """What the dashboard's query variables offer, for the half hour before `at`; each with those
    before it at their defaults, or as `chosen`."""
    end, values, found = time.time() if at is None else at, {**DEFAULTS, **chosen}, []
    for variable in dashboard["templating"]["list"]:
        if variable["type"] == "query":
            found.append(_read_choice(variable, prometheus, end, values))
            values.setdefault(found[-1].name, (found[-1].values or [""])[0])
    return found


def _first_values(
    dashboard: Dashboard, prometheus: Prometheus, at: float | None, chosen: Mapping[str, str]
) -> dict[str, str]:
    offered = choices(render(dashboard), prometheus, at, **chosen)
    return {
        choice.name: (choice.values or [""])[0] for choice in offered if choice.name not in DEFAULTS
    }


def _read_choice(
    variable: Json, prometheus: Prometheus, end: float, values: Mapping[str, str]
) -> Choice:
    parsed = _LABEL_VALUES.fullmatch(variable["query"]["query"])
    if parsed is None:
        raise ValueError(
            f"variable {variable['name']} is not of the form label_values(series, label)"
        )
    series = fill_in(parsed["series"], values)
    return Choice(
        variable["name"], prometheus.label_values(parsed["label"], series, end - 1800, end)
    )
