"""What a dashboard is declared with, in `grafana/panels/`: panels, queries, thresholds."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class Severity(Enum):
    """What a threshold means, by the colour that Grafana gives it."""

    GOOD = "green"
    WATCH = "orange"
    ACT = "red"


@dataclass(frozen=True)
class Threshold:
    """From `value` on (in the panel's unit; None: below all others) the panel means `severity`."""

    value: float | None
    severity: Severity


@dataclass(frozen=True)
class Query:
    """One PromQL expression and the legend of its series; `exemplars` lead to traces."""

    legend: str
    expression: str
    exemplars: bool = False


@dataclass(frozen=True)
class Panel:
    """One row of the table; `unit` is Grafana's, `top` the fixed upper end of the axis.

    `distribution` panels show one histogram as bars, over the whole time shown.
    """

    title: str
    why: str
    unit: str
    thresholds: tuple[Threshold, ...]
    queries: tuple[Query, ...]
    top: float | None = None
    distribution: bool = False


@dataclass(frozen=True)
class Dashboard:
    """A dashboard: its address in Grafana (`uid`, which never changes), title and panels."""

    uid: str
    title: str
    panels: tuple[Panel, ...]


def rising(watch: float, act: float) -> tuple[Threshold, ...]:
    """More is worse: to be watched from `watch`, to be acted on from `act`."""
    return (
        Threshold(None, Severity.GOOD),
        Threshold(watch, Severity.WATCH),
        Threshold(act, Severity.ACT),
    )


def falling(act: float, watch: float) -> tuple[Threshold, ...]:
    """Less is worse: to be acted on below `act`, to be watched below `watch`."""
    return (
        Threshold(None, Severity.ACT),
        Threshold(act, Severity.WATCH),
        Threshold(watch, Severity.GOOD),
    )
