"""Counts of a window against a real Prometheus that was told counters whose counts are known.

`increase` extrapolates to the window's ends: of two samples after silence it makes up to twice as
many, and of a series that began at 0 fewer. Rules must not: chance is computed from the counts.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from prometheus.generator.promql import sum_increase
from tests.lab.backfill import History, backfill, labels
from tests.lab.prometheus import Prometheus
from tests.lab.tools import tools_folder

pytestmark = pytest.mark.stack

WINDOW = 900
# (seconds before now, value): what a window of 15 minutes has seen of it.
COUNTERS: dict[str, tuple[tuple[tuple[float, float], ...], float]] = {
    # The old value is repeated when the service wakes.
    "mature, awake after silence": (((86_000, 900.0), (70, 900.0), (10, 950.0)), 50),
    "from zero, awake after silence": (((70, 0.0), (10, 50.0)), 50),
    "awake, and a second push": (((130, 7.0), (70, 7.0), (10, 57.0), (5, 59.0)), 52),
    "pushed each minute": (tuple((60.0 * n + 5, 1000 - 3.0 * n) for n in range(40)), 45),
    "idle": (((3000, 10.0), (1000, 400.0)), 0),
    "new within the window": (((200, 0.0), (100, 30.0), (50, 40.0)), 40),
    # What was counted before the reset is gone from the window; what came after is complete.
    "reset to zero": (((1000, 10.0), (800, 20.0), (600, 0.0), (300, 35.0)), 35),
    "reset, and grown beyond": (((1000, 10.0), (600, 0.0), (300, 80.0), (10, 95.0)), 95),
}


@pytest.fixture(scope="module")
def prometheus(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Prometheus, float]]:
    """One that has all of COUNTERS, by two instances each, and the moment from which they count."""
    with ExitStack() as stack:
        folder = tmp_path_factory.mktemp("prometheus")
        running = stack.enter_context(Prometheus(tools_folder(), folder))
        now = time.time()
        for host in ("host-0", "host-1"):
            histories = (
                History(
                    "feature.values",
                    labels(feature=name, bin="01"),
                    tuple((now - age, value) for age, value in sorted(points, reverse=True)),
                    instance=host,
                )
                for name, (points, _) in COUNTERS.items()
            )
            backfill(running.url, histories)
        yield running, now


@pytest.mark.parametrize("name", COUNTERS)
def test_counts_are_exact(prometheus: tuple[Prometheus, float], name: str) -> None:
    """An integer, the same whatever the counter was before, and added up over instances."""
    running, now = prometheus
    counter = f'feature_values_total{{feature="{name}"}}'
    found = running.number(sum_increase(counter, f"{WINDOW}s"), now)
    assert (found or 0) == 2 * COUNTERS[name][1]


def test_windows_that_follow_each_other_miss_nothing(
    prometheus: tuple[Prometheus, float],
) -> None:
    """What was counted between the last sample before a window and its first is in it."""
    running, now = prometheus
    counter = 'feature_values_total{feature="pushed each minute"}'
    each = [running.number(sum_increase(counter, "5m"), now - 300 * n) for n in range(6)]
    assert each == [2 * 15.0] * 6
