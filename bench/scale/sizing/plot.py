"""The picture of docs/scaling.md: what grows with the replicas."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import NullFormatter

from bench.scale.sizing.measurement import Measured
from bench.scale.sizing.rule_table import RuleModel
from bench.scale.sizing.table import (
    COLLECTOR_CPU,
    COLLECTOR_MEMORY,
    STORE_CPU,
    STORE_MEMORY,
    project_figure,
)
from bench.scale.sizing.table import Figure as Row

_BLUE, _ORANGE, _GREY = "#2a6f97", "#bc6c25", "#8d99ae"
_SIZE = (9.0, 3.4)


def draw(path: Path, found: Mapping[int, Measured], size: int, model: RuleModel) -> None:
    """Processors, memory and the rules' share of their interval, over the replicas."""
    figure = Figure(figsize=_SIZE, dpi=110, layout="constrained")
    processors, memory, rules = figure.subplots(1, 3)
    _draw_measured(processors, found, size, COLLECTOR_CPU, _BLUE)
    _draw_measured(processors, found, size, STORE_CPU, _ORANGE)
    processors.set_title("processors, young store", fontsize=10)
    _draw_measured(memory, found, size, COLLECTOR_MEMORY, _BLUE)
    _draw_measured(memory, found, size, STORE_MEMORY, _ORANGE)
    memory.set_title("memory, MiB", fontsize=10)
    _draw_rules(rules, model, sorted([*found, size]))
    for axes in (processors, memory, rules):
        _dress(axes)
    path.parent.mkdir(parents=True, exist_ok=True)
    # Without the program's name and version in it the same picture is the same file.
    figure.savefig(path, metadata={"Software": None})


def _draw_measured(
    axes: Axes, found: Mapping[int, Measured], size: int, figure: Row, colour: str
) -> None:
    known = [found[each] for each in sorted(found)]
    values = [figure.read(one) for one in known]
    computed = project_figure(figure, known, size).value
    label = figure.name.partition(":")[0]
    axes.plot(sorted(found), values, "o-", color=colour, label=label)
    axes.plot([max(found), size], [values[-1], computed], "--", color=colour)
    axes.plot([size], [computed], "o", color=colour, markerfacecolor="white")


def _draw_rules(axes: Axes, model: RuleModel, sizes: list[int]) -> None:
    for interval, colour in ((15, _ORANGE), (60, _BLUE)):
        shares = [model.slowest(size, interval)[1] for size in sizes]
        axes.plot(
            sizes, shares, "o--", color=colour, markerfacecolor="white",
            label=f"a push each {interval} s",
        )  # fmt: skip
    axes.axhline(1, color=_GREY, linestyle=":")
    axes.annotate("late", (sizes[0], 1), textcoords="offset points", xytext=(0, 4), fontsize=8)
    axes.set_title("slowest rule group, of its interval,\nwindows full (computed)", fontsize=10)


def _dress(axes: Axes) -> None:
    axes.spines[["top", "right"]].set_visible(False)
    axes.set(xscale="log", yscale="log", xlabel="replicas of two workers")
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_formatter(lambda value, _: f"{value:,g}")
        axis.set_minor_formatter(NullFormatter())
    axes.legend(frameon=False, fontsize=8)
