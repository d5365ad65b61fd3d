"""Every query of every panel, asked of a running Prometheus: what a reader would see."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from grafana.promql import fill_in
from grafana.render import DEFAULT_WINDOW, EVERYTHING, Json
from prometheus.client.query import Prometheus, Sample

_LABEL_VALUES = re.compile(r"label_values\((?P<series>.+), (?P<label>\w+)\)")
# Four push intervals, as Grafana computes $__rate_interval: 15 s here, 1 min towards the cloud.
LOCAL_RATE_INTERVAL = "1m"
CLOUD_RATE_INTERVAL = "4m"
DEFAULTS: Mapping[str, str] = {
    "version": EVERYTHING,
    "instance": EVERYTHING,
    "window": DEFAULT_WINDOW,
    "__rate_interval": LOCAL_RATE_INTERVAL,
    "__range": "30m",
}


@dataclass(frozen=True)
class PanelQuery:
    """A panel's query as the dashboard's JSON has it, variables and all."""

    panel: str
    reference: str
    legend: str
    expression: str


@dataclass(frozen=True)
class Finding:
    """What a query gave."""

    query: PanelQuery
    samples: list[Sample]

    @property
    def fault(self) -> str | None:
        """Why the panel would show nothing (useful), or None."""
        if not self.samples:
            return "empty"
        return None if all(sample.is_number for sample in self.samples) else "NaN"


@dataclass(frozen=True)
class Choice:
    """A variable and the values that it offers."""

    name: str
    values: list[str]


def panel_queries(dashboard: Json) -> Iterator[PanelQuery]:
    """All queries of a dashboard, in its panels' order."""
    for panel in dashboard["panels"]:
        for target in panel["targets"]:
            yield PanelQuery(
                panel["title"], target["refId"], target["legendFormat"], target["expr"]
            )


def verify(
    dashboard: Json, prometheus: Prometheus, at: float | None = None, **chosen: str
) -> list[Finding]:
    """Run every query at one moment; `chosen` replaces the variables' defaults."""
    values = {**DEFAULTS, **chosen}
    return [
        Finding(query, prometheus.query(fill_in(query.expression, values), at))
        for query in panel_queries(dashboard)
    ]


def choices(dashboard: Json, prometheus: Prometheus, at: float | None = None) -> list[Choice]:
    """What the dashboard's query variables offer, for the half hour before `at`."""
    end = time.time() if at is None else at
    return [
        _read_choice(variable, prometheus, end)
        for variable in dashboard["templating"]["list"]
        if variable["type"] == "query"
    ]


def _read_choice(variable: Json, prometheus: Prometheus, end: float) -> Choice:
    parsed = _LABEL_VALUES.fullmatch(variable["query"]["query"])
    if parsed is None:
        raise ValueError(
            f"variable {variable['name']} is not of the form label_values(series, label)"
        )
    series = fill_in(parsed["series"], DEFAULTS)
    return Choice(
        variable["name"], prometheus.label_values(parsed["label"], series, end - 1800, end)
    )
