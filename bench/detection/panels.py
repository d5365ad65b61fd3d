"""When the panel that an alert leads to left green: asked of a drill's Prometheus afterwards."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache

from grafana.dashboard import Kind, Panel, Query, Severity, Threshold, falling
from grafana.panels import dashboards
from grafana.promql import EVERYTHING, fill_in
from prometheus.generator.durations import Durations
from prometheus.generator.generate import alerts
from prometheus.generator.panels import locate
from telemetry.resource import SERVICE
from tests.lab.prometheus import Prometheus

# As Grafana has it: four pushes, which come each second here.
_VARIABLES = {
    "job": SERVICE,
    "instance": EVERYTHING,
    "version": EVERYTHING,
    "window": "$__rate_interval",
    "__rate_interval": "4s",
}
_STATES = falling(act=1)  # 1 is up
_LITERAL = re.compile(r"(?<=\[)\d+[smhd](?=\])|(?<=offset )\d+[smhd]")


@dataclass(frozen=True)
class Stretch:
    """A time in which a panel was not green, in seconds since 1970; `end` is its last moment."""

    begin: float
    end: float


@cache
def alert_panels() -> Mapping[str, Panel]:
    """The panel of each alert, by the alert's name; but of the one that always fires."""
    panels = {
        (board.uid, panel.id): panel for board in dashboards().values() for panel in board.panels
    }
    places = {alert.name: locate(alert.name) for alert in alerts() if alert.severity != "none"}
    return {name: panels[place.dashboard, place.panel] for name, place in places.items()}


def find_stretches(
    prometheus: Prometheus, panel: Panel, start: float, end: float, scale: int
) -> list[Stretch]:
    """Every stretch between two moments in which one of the panel's series was beyond a limit, or
    gave nothing although it never rightly does."""
    first, last = math.ceil(start), math.floor(end)
    moments: set[int] = set()
    for query, thresholds in _limited(panel):
        expression = compress(fill_in(query.expression, _VARIABLES), scale)
        answer = prometheus.get("query_range", query=expression, start=first, end=last, step=1)
        values = [
            (int(at), float(text)) for each in answer["result"] for at, text in each["values"]
        ]
        moments |= {at for at, value in values if not is_green(value, thresholds)}
        if not query.empty:
            moments |= {*range(first, last + 1)} - {at for at, _ in values}
    return join(sorted(moments), step=1)


def _limited(panel: Panel) -> Iterator[tuple[Query, Sequence[Threshold]]]:
    """The queries that have limits, with these."""
    for query in panel.queries:
        own = _STATES if panel.kind is Kind.STATES else query.thresholds or panel.thresholds
        if own:
            yield query, own


def compress(expression: str, scale: int) -> str:
    """Windows and offsets at the scale of the rules; names of recorded series stay."""
    durations = Durations(scale)
    return _LITERAL.sub(lambda found: _shorter(found[0], durations), expression)


def _shorter(duration: str, durations: Durations) -> str:
    # What stands for a variable has its length already.
    return duration if duration == _VARIABLES["__rate_interval"] else durations(duration)


def is_green(value: float, thresholds: Sequence[Threshold]) -> bool:
    """By the last threshold that the value reaches; NaN is no value."""
    reached = [t.severity for t in thresholds if t.value is None or value >= t.value]
    return value != value or reached[-1] is Severity.GOOD


def join(moments: Sequence[float], step: float) -> list[Stretch]:
    """Moments in their order as stretches, a step apart at most."""
    found: list[Stretch] = []
    for moment in moments:
        if found and moment - found[-1].end <= step:
            found[-1] = Stretch(found[-1].begin, moment)
        else:
            found.append(Stretch(moment, moment))
    return found


def left_green(stretches: Sequence[Stretch], sent: float) -> float | None:
    """When the panel left green for the alert that was sent then; None when it was green."""
    before = [stretch for stretch in stretches if stretch.begin <= sent <= stretch.end]
    return before[0].begin if before else None
