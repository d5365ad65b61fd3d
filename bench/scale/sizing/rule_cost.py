"""What the rules read, and what that costs, once the store holds what their windows look back on.

A store that has run for some minutes has nearly empty windows of a day and of a week, and its rules
are cheap. Here the history is written first; then each expression is asked for once, one after
another as a group does, and Prometheus says how many samples it read. Seconds are its processor
time, so that other work on the machine shows less in them.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import requests

from bench.scale.sizing.monitored_stack import folder_bytes, read_usage
from bench.scale.sizing.push_template import PushTemplate
from bench.scale.sizing.sender import name_instances
from prometheus.generator.durations import parse_duration
from tests.lab.backfill import write_otlp
from tests.lab.polling import until
from tests.lab.prometheus import Prometheus
from tests.lab.rules import read_groups
from tests.lab.tools import tools_folder

_CHUNK_SECONDS = 900
"""So much of one worker's history is written in a request."""


@dataclass(frozen=True)
class Case:
    """Replicas of so many workers, whose pushes `interval` seconds apart lie in the store for so
    many hours."""

    replicas: int
    workers: int
    hours: float
    interval: int


@dataclass(frozen=True)
class GroupCost:
    """Of one rule group, evaluated once."""

    name: str
    interval: int
    samples: int
    seconds: float


@dataclass(frozen=True)
class RuleCost:
    """Of one case; `bytes_per_sample` is what the store's files take."""

    case: Case
    groups: tuple[GroupCost, ...]
    bytes_per_sample: float
    rss_mib: float

    @property
    def samples(self) -> int:
        """That all groups read, evaluated once."""
        return sum(group.samples for group in self.groups)

    @property
    def seconds(self) -> float:
        """Of processor time for all groups once."""
        return sum(group.seconds for group in self.groups)


def measure_rules(template: PushTemplate, case: Case) -> RuleCost:
    """Write the history into a store of its own and evaluate every expression once."""
    with (
        tempfile.TemporaryDirectory() as name,
        Prometheus(tools_folder(), Path(name)) as prometheus,
    ):
        ended = write_history(prometheus, template, case)
        _wait_for_blocks(prometheus, case.hours)
        groups = tuple(_ask_all(prometheus, ended))
        pushes = int(case.hours * 3600 / case.interval) * case.replicas * case.workers
        stored = folder_bytes(Path(name, "data")) / (pushes * template.series)
        return RuleCost(case, groups, stored, read_usage(prometheus).rss_mib)


def write_history(prometheus: Prometheus, template: PushTemplate, case: Case) -> float:
    """The pushes of all workers up to now, in the order of time; gives the last one's time."""
    count = int(case.hours * 3600 / case.interval)
    began = time.time() - count * case.interval
    step = max(1, _CHUNK_SECONDS // case.interval)
    for first in range(0, count, step):
        numbers = range(first, min(first + step, count))
        for instance in name_instances(case.replicas, case.workers):
            # Concatenated messages are one with the lists of all.
            pushes = (
                template.encode(instance, number, began + (number + 1) * case.interval)
                for number in numbers
            )
            write_otlp(prometheus.url, b"".join(pushes), timeout=300)
    return began + count * case.interval


def _wait_for_blocks(prometheus: Prometheus, hours: float) -> None:
    """Until what is older than the head has been written into blocks, as in a store that ran."""

    def compacted() -> bool:
        text = requests.get(f"{prometheus.url}/metrics", timeout=30).text
        [oldest] = [
            float(line.split()[1])
            for line in text.splitlines()
            if line.startswith("prometheus_tsdb_head_min_time_seconds ")
        ]
        return time.time() - oldest < 4 * 3600

    if hours > 4:
        until(compacted, 900, "the history is in blocks", every=5)
    time.sleep(5)


def _ask_all(prometheus: Prometheus, at: float) -> Iterator[GroupCost]:
    for group in read_groups():
        before = read_usage(prometheus).cpu_seconds
        samples = sum(_ask(prometheus, rule["expr"], at) for rule in group["rules"])
        took = read_usage(prometheus).cpu_seconds - before
        yield GroupCost(group["name"], parse_duration(group["interval"]), samples, took)


def _ask(prometheus: Prometheus, expression: str, at: float) -> int:
    """Evaluate it once; the samples that were read for it."""
    answer = requests.post(
        f"{prometheus.url}/api/v1/query",
        data={"query": expression, "time": str(at), "stats": "all", "timeout": "600s"},
        timeout=630,
    )
    if answer.status_code != 200:
        raise RuntimeError(f"{answer.text[:300]} on {expression[:200]}")
    return int(answer.json()["data"]["stats"]["samples"]["totalQueryableSamples"])
