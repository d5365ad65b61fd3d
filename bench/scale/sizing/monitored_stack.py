"""The real Collector before the real Prometheus with the project's rules, and what they take."""

from __future__ import annotations

import shutil
import time
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

import psutil
import requests

from prometheus.generator.generate import FOLDER
from tests.lab.collector import Collector
from tests.lab.program import Program
from tests.lab.prometheus import Prometheus

JOB = 'job="fraud-handler"'
COUNTED = f'{{{JOB}, __name__=~".+_total|.+_count"}}'
"""The counters and the histograms' counts."""
_OF_RULES = ".+:.+|ALERTS.*"
_MIB = 2**20


@dataclass(frozen=True)
class Usage:
    """Of a process so far: processor seconds; memory in MiB."""

    cpu_seconds: float
    pss_mib: float
    rss_mib: float


@dataclass(frozen=True)
class RuleGroup:
    """A rule group of the store: seconds of its last evaluation, and between two of them."""

    seconds: float
    interval: float

    @property
    def share(self) -> float:
        """Of its interval that it takes."""
        return self.seconds / self.interval


def read_usage(program: Program) -> Usage:
    """Of a running program, without its children: these have none."""
    assert program.process is not None
    process = psutil.Process(program.process.pid)
    memory = process.memory_full_info()
    return Usage(sum(process.cpu_times()[:2]), memory.pss / _MIB, memory.rss / _MIB)


class MonitoredStack:
    """Collector on its local route, Prometheus with the project's configuration and rules, both
    scraped by it as in a native start. Alertmanager is left out: no alert comes to it."""

    def __init__(self, tools: Path, folder: Path) -> None:
        self._programs = ExitStack()
        self.folder = folder
        self.prometheus = Prometheus(tools, folder / "prometheus", rule_offset="30s")
        self.collector = Collector(tools, folder / "collector", PROMETHEUS_URL=self.prometheus.url)
        shutil.copytree(FOLDER, folder / "prometheus" / "rules")
        self._write_targets()

    def _write_targets(self) -> None:
        ports = {"prometheus": self.prometheus.port, "otel-collector": self.collector.metrics_port}
        text = "".join(
            f'- targets: ["127.0.0.1:{port}"]\n  labels: {{job: {job}}}\n'
            for job, port in ports.items()
        )
        targets = self.folder / "prometheus" / "targets"
        targets.mkdir()
        (targets / "native.yml").write_text(text)

    def __enter__(self) -> Self:
        with ExitStack() as started:
            for program in (self.prometheus, self.collector):
                started.enter_context(program)
            self._programs = started.pop_all()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._programs.close()

    def internal(self, name: str) -> float:
        """A metric of Prometheus' own, added up over its labels; 0 where it has none."""
        text = requests.get(f"{self.prometheus.url}/metrics", timeout=30).text
        starts = (name + "{", name + " ")
        return sum(
            float(line.rpartition(" ")[2]) for line in text.splitlines() if line.startswith(starts)
        )

    def collected(self, name: str) -> float:
        """A metric of the Collector's own, added up over its labels."""
        return sum(self.collector.internal_metric(name).values())

    def queued(self) -> float:
        """What waits in the Collector's queue, in bytes."""
        return self.collected("otelcol_exporter_queue_size")

    def rule_groups(self) -> dict[str, RuleGroup]:
        """Each group's last evaluation."""
        return {
            group["name"]: RuleGroup(group["evaluationTime"], group["interval"])
            for group in self.prometheus.get("rules", exclude_alerts="true")["groups"]
        }

    def wait_until_delivered(self, seconds: float) -> None:
        """Returns when the Collector's queue is empty; TimeoutError if it never is."""
        deadline = time.monotonic() + seconds
        while self.queued() > 0:
            if time.monotonic() > deadline:
                raise TimeoutError(f"{self.queued():,.0f} bytes still queued after {seconds:g} s")
            time.sleep(0.5)
        # What has left the queue may still be on its way.
        time.sleep(2)

    def recorded_series(self) -> float:
        """Series that the rules have made of the handlers', alerts among them."""
        others = 'job!~"prometheus|otel-collector"'
        of_rules = f'count({{__name__=~"{_OF_RULES}", {others}}}) or vector(0)'
        # Live figures have the name of the holdout's, and are of no instance.
        of_none = f'count({{__name__=~".+", __name__!~"{_OF_RULES}", instance="", {others}}})'
        return self.prometheus.number(f"({of_rules}) + ({of_none} or vector(0))") or 0

    def stored_counts(self) -> dict[str, float]:
        """All counters and histograms' counts of each instance, added up."""
        found = self.prometheus.query(f"sum by (instance) (last_over_time({COUNTED}[30m]))")
        return {labels["instance"]: value for labels, value in found}

    def stored_samples(self) -> float:
        """Samples of the instances' own series that were stored within 30 minutes."""
        selector = f'{{{JOB}, instance!=""}}'
        matching = f'{{__name__!~"{_OF_RULES}", {JOB}, instance!=""}}'
        names = self.prometheus.get("label/__name__/values", **{"match[]": matching})
        # One name at a time: without their names several series would have the same labels.
        return sum(
            self.prometheus.number(f"sum(count_over_time({name}{selector}[30m]))") or 0
            for name in names
        )


def folder_bytes(folder: Path) -> int:
    """What a folder's files take."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
