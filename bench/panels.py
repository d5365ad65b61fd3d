"""Every query of every panel and variable of the dashboards, asked of a stack that runs.

    python -m bench.panels [--prometheus URL | --compose] [--after SECONDS …]

As the dashboards ask: over the time that each shows, or at one moment; with every value that each
variable offers, the others at their first. `--after` waits for moments since Prometheus started.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TypeVar

from grafana.cloud.verify import DEFAULTS, Choice, choices
from grafana.dashboard import Dashboard, Panel, Query
from grafana.panels import dashboards
from grafana.promql import fill_in
from grafana.render.board import Json, panels_of, render
from grafana.render.variables import WINDOWS
from prometheus.client.http import Client
from prometheus.client.query import Prometheus, Span
from tests.compose.project import running_project
from tests.lab.paths import ROOT

SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
PUSH_SECONDS = 15
SCRAPE_SECONDS = 15
POINTS = 240  # as many as the live view asks for
STARTED = 'max(process_start_time_seconds{job="prometheus"})'
Answer = TypeVar("Answer")


@dataclass(frozen=True)
class Asked:
    """What one query of a panel, or of a variable, gave."""

    dashboard: str
    what: str
    milliseconds: float
    series: int
    is_number: bool
    reason: str
    """Why it may give nothing; empty where it always has something."""

    @property
    def is_fault(self) -> bool:
        """It gave no number, or nothing without a word."""
        return not self.is_number or not (self.series or self.reason)


def ask_all(prometheus: Prometheus, now: float) -> Iterator[Asked]:
    """Every dashboard, with every value of every variable."""
    for name, dashboard in dashboards().items():
        content = render(dashboard)
        offered, taken = _time(lambda content=content: choices(content, prometheus, now))  # type: ignore[misc]
        for choice in offered:
            what = f"variable {choice.name}"
            yield Asked(name, what, taken / len(offered), len(choice.values), True, "")
        for values in _every_choice(content, offered, dashboard.time):
            yield from _ask_panels(name, dashboard, content, values, prometheus, now)


def _every_choice(content: Json, offered: list[Choice], shown: str) -> Iterator[dict[str, str]]:
    """The defaults, then each other value of each variable alone."""
    first = {**DEFAULTS, "__range": shown}
    first |= {c.name: (c.values or [""])[0] for c in offered if c.name not in DEFAULTS}
    yield first
    names = {variable["name"] for variable in content["templating"]["list"]}
    windows = [Choice("window", list(WINDOWS.values()))] if "window" in names else []
    for choice in (*offered, *windows):
        for value in choice.values:
            if value != first[choice.name]:
                yield {**first, choice.name: value}


def _ask_panels(
    name: str,
    dashboard: Dashboard,
    content: Json,
    values: dict[str, str],
    prometheus: Prometheus,
    now: float,
) -> Iterator[Asked]:
    span = _span(dashboard.time, now)
    values = {**values, "__rate_interval": f"{max(span.step + PUSH_SECONDS, 4 * PUSH_SECONDS)}s"}
    for panel, drawn in zip(dashboard.panels, panels_of(content), strict=True):
        for query, target in zip(panel.queries, drawn["targets"], strict=True):
            expression = fill_in(target["expr"], values)
            ask = _ask_instant if target.get("instant") else _ask_range
            (series, is_number), taken = _time(
                lambda ask=ask, text=expression: ask(prometheus, text, span)  # type: ignore[misc]
            )
            what = f"{panel.title}: {query.legend}"
            yield Asked(name, what, taken, series, is_number, _reason(panel, query))


def _reason(panel: Panel, query: Query) -> str:
    return query.empty or ("" if len(panel.queries) > 1 else panel.empty)


def _ask_instant(prometheus: Prometheus, expression: str, span: Span) -> tuple[int, bool]:
    samples = prometheus.query(expression, span.end)
    return len(samples), all(sample.is_number for sample in samples)


def _ask_range(prometheus: Prometheus, expression: str, span: Span) -> tuple[int, bool]:
    series = prometheus.query_range(expression, span)
    return len(series), True


def _span(shown: str, now: float) -> Span:
    """The time that the dashboard shows, in the live view's steps."""
    range = int(shown[:-1]) * SECONDS[shown[-1]]
    step = max(PUSH_SECONDS, -(-range // POINTS // PUSH_SECONDS) * PUSH_SECONDS)
    end = int(now // PUSH_SECONDS * PUSH_SECONDS)
    return Span(end - range, end, step)


def _time(ask: Callable[[], Answer]) -> tuple[Answer, float]:
    began = time.perf_counter()
    return ask(), 1000 * (time.perf_counter() - began)


def report(asked: list[Asked], seconds: float) -> Iterator[str]:
    """A table by dashboard, then what is empty without a word, and the slowest."""
    yield f"{seconds:.0f} s after the start of Prometheus:"
    yield "| dashboard | queries | empty, and say why | empty, say nothing | NaN | slowest, ms |"
    yield "| --- | --- | --- | --- | --- | --- |"
    for name in dict.fromkeys(one.dashboard for one in asked):
        own = [one for one in asked if one.dashboard == name]
        said = sum(not one.series and bool(one.reason) for one in own)
        silent = sum(not one.series and not one.reason for one in own)
        nan = sum(not one.is_number for one in own)
        longest = max(one.milliseconds for one in own)
        yield f"| {name} | {len(own)} | {said} | {silent} | {nan} | {longest:.0f} |"
    slowest = max(asked, key=lambda one: one.milliseconds)
    yield f"slowest: {slowest.dashboard}, {slowest.what}, {slowest.milliseconds:.0f} ms"
    for one in asked:
        if one.is_fault:
            yield f"EMPTY OR NAN: {one.dashboard}, {one.what}"


def measure(url: str, moments: list[float]) -> int:
    """Print the table of each moment since that Prometheus started; gives the number of faults."""
    prometheus = Prometheus(Client(url, setting="--prometheus"))
    started = _started(prometheus)
    faults = 0
    for after in moments:
        time.sleep(max(0.0, started + after - time.time()))
        now = time.time()
        asked = list(ask_all(prometheus, now))
        print("\n".join(report(asked, now - started)), flush=True)
        faults += sum(one.is_fault for one in asked)
    return faults


def _started(prometheus: Prometheus) -> float:
    """It tells so by its first scrape of itself, which comes within its interval."""
    for _ in range(SCRAPE_SECONDS + 5):
        if found := prometheus.query(STARTED):
            return found[0].value
        time.sleep(1)
    raise SystemExit("This Prometheus does not scrape itself: when it began is not known.")


def main(arguments: list[str] | None = None) -> int:
    """Print the table of each moment; 1 where a query gave nothing and does not say why."""
    parser = argparse.ArgumentParser(
        prog="python -m bench.panels",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    asked = parser.add_mutually_exclusive_group()
    asked.add_argument("--prometheus", default="http://localhost:9090", metavar="URL")
    asked.add_argument("--compose", action="store_true", help="of a start of docker-compose.yml")
    parser.add_argument("--after", type=float, nargs="+", default=[0.0], metavar="SECONDS")
    options = parser.parse_args(arguments)
    if not options.compose:
        return 1 if measure(options.prometheus, options.after) else 0
    with running_project(ROOT) as project:
        return 1 if measure(project.prometheus, options.after) else 0


if __name__ == "__main__":
    sys.exit(main())
