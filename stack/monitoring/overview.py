"""What matters now: the row on top of the Overview, by the dashboard's own queries.

The dashboard's JSON is read, not its source: it lies beside, and needs no package.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from prometheus.client.errors import RequestError
from prometheus.client.query import Prometheus, Sample

DASHBOARD = Path("grafana/dashboards/overview.json")
# What Grafana's variables stand for with nothing chosen: all, and four pushes.
_VARIABLES: Mapping[str, str] = {
    "instance": ".+",
    "version": ".+",
    "window": "1m",
    "__rate_interval": "1m",
}
_WORDS = {"green": "", "orange": "watch", "red": "act"}
_UNIT = "suffix:"
_TIMES = ((86400, "d"), (3600, "h"), (60, "min"), (1, "s"))


@dataclass(frozen=True)
class Figure:
    """A panel's title, its figure for people, and what to do about it: nothing, watch or act."""

    title: str
    text: str
    severity: str


def read_figures(root: Path, prometheus: Prometheus, job: str) -> list[Figure]:
    """Every panel of the row, in its order; RequestError when Prometheus does not answer."""
    content = json.loads((root / DASHBOARD).read_text(encoding="utf-8"))
    values = {**_VARIABLES, "job": job}
    return [_figure(panel, prometheus, values) for panel in _first_row(content["panels"])]


def _first_row(panels: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    for panel in panels[1:]:
        if panel["type"] == "row":
            return
        yield panel


def _figure(panel: Mapping[str, Any], prometheus: Prometheus, values: Mapping[str, str]) -> Figure:
    """A panel of this row has one query; of several series the worst is the last of the answer."""
    [target] = panel["targets"]
    expression = re.sub(r"\$(\w+)", lambda name: values[name[1]], target["expr"])
    samples = [sample for sample in prometheus.query(expression) if sample.is_number]
    defaults = panel["fieldConfig"]["defaults"]
    if not samples:
        return Figure(panel["title"], f"- ({defaults['noValue'].rstrip('.')})", "")
    worst = max(samples, key=lambda sample: _rank(sample.value, defaults))
    texts = [_text(sample, defaults["unit"], target["legendFormat"]) for sample in samples]
    return Figure(panel["title"], ", ".join(texts), _WORDS[_colour(worst.value, defaults)])


def _colour(value: float, defaults: Mapping[str, Any]) -> str:
    """Of the last threshold that the value reaches; the first one has no value."""
    steps = defaults["thresholds"]["steps"]
    reached = [step["color"] for step in steps if step["value"] is None or value >= step["value"]]
    return str(reached[-1])


def _rank(value: float, defaults: Mapping[str, Any]) -> int:
    return list(_WORDS).index(_colour(value, defaults))


def _text(sample: Sample, unit: str, legend: str) -> str:
    """The figure with its unit; of series that are told apart by a label, the label's value too."""
    label = re.fullmatch(r"\{\{(\w+)\}\}", legend)
    named = f" ({sample.labels.get(label[1], '')})" if label else ""
    return format_value(sample.value, unit) + named


def format_value(value: float, unit: str) -> str:
    """In a unit of Grafana's: short, s, percentunit, or a suffix."""
    if unit == "percentunit":
        return f"{100 * value:.0f} %"
    if unit == "s":
        return _format_seconds(value)
    if unit.startswith(_UNIT):
        return f"{value:.2f}{unit.removeprefix(_UNIT)}"
    return f"{value:,.3g}"


def _format_seconds(value: float) -> str:
    if abs(value) < 1:
        return f"{1000 * value:.1f} ms"
    size, name = next(each for each in _TIMES if abs(value) >= each[0])
    return f"{value / size:.1f} {name}"


def describe_now(root: Path, prometheus: Prometheus, job: str) -> list[str]:
    """The service's row as lines: title, figure, and a word where it is not green."""
    try:
        figures = read_figures(root, prometheus, job)
    except RequestError:
        return ["unknown: Prometheus does not answer"]
    width = max(len(figure.title) for figure in figures)
    lines = (f"{each.title:<{width}}  {each.text}  {each.severity}" for each in figures)
    return [line.rstrip() for line in lines]
