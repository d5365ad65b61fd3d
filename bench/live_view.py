"""How long the live view takes to draw each dashboard, what it asks for, and what it complains of.

    python -m bench.live_view [--prometheus URL] [--time now-30m]

In Chromium, without a cache: in light and dark on a desk, and on a phone. `complaints` are errors
on the console and refused requests; `axe` is what axe-core (fetched by npm) has against the page.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from playwright.sync_api import Browser, Page, Request

from grafana.panels import dashboards
from tests.lab.axe import fetch_axe, find_violations
from tests.lab.chromium import chromium, view

LOOKS = {"light": (1360, False), "dark": (1360, True), "phone": (390, False)}


@dataclass(frozen=True)
class Drawn:
    """One page, until its last panel was drawn: kB as they were sent."""

    dashboard: str
    look: str
    panels: int
    seconds: float
    requests: int
    kilobytes: float
    complaints: int
    violations: int


def measure(browser: Browser, prometheus: str, span: str, axe: Path) -> Iterator[Drawn]:
    """Every dashboard in every look."""
    for name, dashboard in dashboards().items():
        for look, (width, dark) in LOOKS.items():
            with view(browser, width=width, dark=dark) as opened:
                finished = note_finished(opened.page)
                started = time.perf_counter()
                opened.open(f"{prometheus}/user/?d={dashboard.uid}&from={span}")
                seconds = time.perf_counter() - started
                sizes = [request.sizes() for request in finished]
                sent = sum(one["responseBodySize"] + one["responseHeadersSize"] for one in sizes)
                panels = opened.page.locator("details[open] .panel").count()
                said = len(opened.complaints)
                found = len(find_violations(opened.page, axe))
                yield Drawn(name, look, panels, seconds, len(sizes), sent / 1000, said, found)


def note_finished(page: Page) -> list[Request]:
    """Grows with every request of the page that ends."""
    finished: list[Request] = []
    page.on("requestfinished", lambda request: finished.append(request))
    return finished


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(
        prog="python -m bench.live_view",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--prometheus", default="http://localhost:9090", metavar="URL")
    parser.add_argument("--time", default="now-30m", help="what is shown, up to now")
    options = parser.parse_args()
    print("| dashboard | look | panels | drawn after, s | requests | kB sent | complaints | axe |")
    print("| --- | --- | --- | --- | --- | --- | --- | --- |")
    with tempfile.TemporaryDirectory() as folder, chromium() as browser:
        axe = fetch_axe(Path(folder))
        for one in measure(browser, options.prometheus, options.time, axe):
            print(
                f"| {one.dashboard} | {one.look} | {one.panels} | {one.seconds:.2f} |"
                f" {one.requests} | {one.kilobytes:.0f} | {one.complaints} | {one.violations} |",
                flush=True,
            )


if __name__ == "__main__":
    main()
