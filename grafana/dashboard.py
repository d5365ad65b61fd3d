"""What a dashboard is declared with, in `grafana/panels/`: sections, panels, queries, limits."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from grafana.one_service import select_job


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


PAIRED = ("blue", "orange", "green", "purple")
"""Colours, by Grafana's names, that the live view has too."""


class Line(Enum):
    """How a series is drawn, which says what it is."""

    LIVE = "solid"  # measured
    EXPECTED = "dashed"  # estimated: before labels, or ahead
    CARD = "dotted"  # promised by the model card
    LIMIT = "thin and red"  # where an alert fires
    LOW = "lower edge of a light band"
    HIGH = "upper edge of a light band"  # comes right after its LOW


@dataclass(frozen=True)
class Query:
    """One PromQL expression and the legend of its series; `exemplars` lead to traces.

    The expression is narrowed to the chosen service, so that panels need not name its job.
    `empty` says when it rightly gives nothing, as a clause ("no label came yet"). `unit` is that of
    a table's column or of a series, where it is not the panel's; `thresholds` are for this series
    alone; `colour` is one of `PAIRED`, for two series of which one is what the other should be.
    """

    legend: str
    expression: str
    line: Line = Line.LIVE
    empty: str = ""
    exemplars: bool = False
    unit: str = ""
    thresholds: tuple[Threshold, ...] = ()
    colour: str = ""

    def __post_init__(self) -> None:
        object.__setattr__(self, "expression", select_job(self.expression))


class Kind(Enum):
    """What a panel is drawn as. The live view knows exactly these."""

    LINES = "timeseries"
    STACK = "stacked timeseries"
    HISTOGRAM = "bargauge"  # one histogram, over the whole time shown
    STAT = "stat"
    TABLE = "table"  # a row for each value of `by`, a column for each query
    BARS = "barchart"  # a group for each value of `by`, a bar in it for each query
    SCATTER = "xychart"  # a point for each value of `by`; the first query is x, the others are y
    HEATMAP = "heatmap"  # one histogram over time
    STATES = "state-timeline"  # 1 is up, 0 is down


@dataclass(frozen=True)
class Panel:
    """A question and its answer.

    `id` is in links to the panel: it is never given to another one. `why` says what to do about
    it, `empty` why it may show nothing, as sentences. `unit` is Grafana's. `alerts` are those whose
    place this is. `then` is the uid of the dashboard where one looks next. Rows are
    ordered by the label `order`, which is not shown; by the last query, its highest first, where
    `worst_first`; else by `by`. The axis begins at 0, unless values are `signed`.
    """

    id: int
    title: str
    why: str
    unit: str
    queries: tuple[Query, ...]
    empty: str
    kind: Kind = Kind.LINES
    thresholds: tuple[Threshold, ...] = ()
    alerts: tuple[str, ...] = ()
    then: str = ""
    by: str = ""
    order: str = ""
    worst_first: bool = False
    top: float | None = None
    signed: bool = False
    width: int = 12
    height: int = 8


@dataclass(frozen=True)
class Section:
    """Panels under one heading; a collapsed one is read when it is opened."""

    title: str
    panels: tuple[Panel, ...]
    collapsed: bool = False


@dataclass(frozen=True)
class Dashboard:
    """A dashboard: its address in Grafana (`uid`, which never changes), title and content.

    `variables` are names of `grafana/render/variables.py`, in their order.
    """

    uid: str
    title: str
    question: str
    sections: tuple[Section, ...]
    variables: tuple[str, ...]
    time: str
    refresh: str

    @property
    def panels(self) -> tuple[Panel, ...]:
        """All panels, in reading order."""
        return tuple(panel for section in self.sections for panel in section.panels)


def rising(*, watch: float | None = None, act: float | None = None) -> tuple[Threshold, ...]:
    """More is worse: to be watched from `watch`, to be acted on from `act`."""
    steps = [Threshold(None, Severity.GOOD)]
    if watch is not None:
        steps.append(Threshold(watch, Severity.WATCH))
    if act is not None:
        steps.append(Threshold(act, Severity.ACT))
    return tuple(steps)


def falling(*, act: float) -> tuple[Threshold, ...]:
    """Less is worse: to be acted on below `act`."""
    return (Threshold(None, Severity.ACT), Threshold(act, Severity.GOOD))
