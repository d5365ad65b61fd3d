"""What one number of replicas takes, measured while its pushes are really sent."""

from __future__ import annotations

import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bench.scale.sizing.monitored_stack import (
    MonitoredStack,
    RuleGroup,
    Usage,
    folder_bytes,
    read_usage,
)
from bench.scale.sizing.push_template import PushTemplate
from bench.scale.sizing.sender import Plan, Sent, name_instances, sending
from tests.lab.tools import tools_folder

_EVERY = 5.0
"""Seconds between two readings."""


@dataclass(frozen=True)
class Timing:
    """Seconds: between two pushes of a worker, before the measurement, and of it."""

    interval: float = 15
    warm_up: float = 75
    measured: float = 195


@dataclass(frozen=True)
class Measured:
    """Of one number of replicas. CPU in seconds of processor time a second; memory in MiB, the
    largest of the readings; `rule_seconds` of all groups once, each group's longest evaluation."""

    replicas: int
    workers: int
    pushed_series: int
    stored_series: int
    recorded_series: int
    """By the rules, alerts among them."""
    samples_per_second: float
    collector_cpu: float
    collector_pss: float
    store_cpu: float
    store_pss: float
    store_rss: float
    rule_seconds: float
    slowest_group: str
    slowest_seconds: float
    slowest_share: float
    """Of its interval."""
    missed: int
    queue_kib: float
    log_bytes_per_second: float
    """By which the write-ahead log grew."""
    sender_cpu: float
    late_seconds: float
    push_bytes: int
    """Of one push, as it is sent and queued."""
    pushes: int
    refused: int
    lost: float
    """Counts sent and not in the store, plus samples."""


@dataclass
class _Readings:
    """The largest of each figure that was read during the measurement."""

    collector: float = 0.0
    store: float = 0.0
    resident: float = 0.0
    queue: float = 0.0
    groups: dict[str, RuleGroup] = field(default_factory=dict)

    def take(self, stack: MonitoredStack) -> None:
        collector, store = read_usage(stack.collector), read_usage(stack.prometheus)
        self.collector = max(self.collector, collector.pss_mib)
        self.store = max(self.store, store.pss_mib)
        self.resident = max(self.resident, store.rss_mib)
        self.queue = max(self.queue, stack.queued())
        for name, group in stack.rule_groups().items():
            earlier = self.groups.get(name, group)
            self.groups[name] = max(group, earlier, key=lambda each: each.seconds)

    def conclude(self) -> dict[str, Any]:
        slowest = max(self.groups, key=lambda name: self.groups[name].share)
        return {
            "collector_pss": self.collector,
            "store_pss": self.store,
            "store_rss": self.resident,
            "queue_kib": self.queue / 1024,
            "rule_seconds": sum(group.seconds for group in self.groups.values()),
            "slowest_group": slowest,
            "slowest_seconds": self.groups[slowest].seconds,
            "slowest_share": self.groups[slowest].share,
        }


@dataclass(frozen=True)
class _Moment:
    at: float
    collector: Usage
    store: Usage
    appended: float
    missed: float
    log: int


def measure(template: PushTemplate, replicas: int, workers: int, timing: Timing) -> Measured:
    """Start everything anew, send, and read; everything is ended again."""
    with (
        tempfile.TemporaryDirectory() as name,
        MonitoredStack(tools_folder(), Path(name)) as stack,
    ):
        return measure_on(stack, template, (replicas, workers), timing)


def measure_on(
    stack: MonitoredStack, template: PushTemplate, size: tuple[int, int], timing: Timing
) -> Measured:
    """On a running stack that has seen no push yet; `size` is replicas and workers of each."""
    instances = name_instances(*size)
    plan = Plan(stack.collector.endpoint, template, instances, timing.interval)
    readings = _Readings()
    with sending(plan) as sender:
        time.sleep(timing.warm_up)
        begin = _look(stack)
        while (left := begin.at + timing.measured - time.monotonic()) > 0:
            time.sleep(min(_EVERY, left))
            readings.take(stack)
        end = _look(stack)
        stored = stack.internal("prometheus_tsdb_head_series"), stack.recorded_series()
        sent = sender.stop()
    stack.wait_until_delivered(60)
    lost = count_lost(stack, template, sent)
    return Measured(
        replicas=size[0],
        workers=size[1],
        pushed_series=template.series * len(instances),
        stored_series=int(stored[0]),
        recorded_series=int(stored[1]),
        sender_cpu=sent.cpu_seconds / sent.seconds,
        late_seconds=sent.latest,
        push_bytes=len(template.encode(instances[0], 1, time.time())),
        pushes=sent.pushes,
        refused=sent.refused,
        lost=lost,
        **_spend(begin, end),
        **readings.conclude(),
    )


def count_lost(stack: MonitoredStack, template: PushTemplate, sent: Sent) -> float:
    """What was taken and is not in the store: of the last counts of every instance, and of all
    samples. Negative would be something that nobody sent."""
    stored = stack.stored_counts()
    counts = sum(
        abs(template.total(taken - 1) - stored.get(instance, 0.0))
        for instance, taken in sent.taken.items()
        if taken
    )
    samples = sent.pushes * template.series - stack.stored_samples()
    if counts or samples:
        print(f"lost: {counts:g} counts, {samples:g} samples", file=sys.stderr)
    return counts + samples


def _look(stack: MonitoredStack) -> _Moment:
    return _Moment(
        at=time.monotonic(),
        collector=read_usage(stack.collector),
        store=read_usage(stack.prometheus),
        appended=stack.internal("prometheus_tsdb_head_samples_appended_total"),
        missed=stack.internal("prometheus_rule_group_iterations_missed_total"),
        log=folder_bytes(stack.folder / "prometheus" / "data" / "wal"),
    )


def _spend(begin: _Moment, end: _Moment) -> dict[str, Any]:
    """What grew between the two moments, a second."""
    seconds = end.at - begin.at
    return {
        "samples_per_second": (end.appended - begin.appended) / seconds,
        "collector_cpu": (end.collector.cpu_seconds - begin.collector.cpu_seconds) / seconds,
        "store_cpu": (end.store.cpu_seconds - begin.store.cpu_seconds) / seconds,
        "missed": int(end.missed - begin.missed),
        "log_bytes_per_second": (end.log - begin.log) / seconds,
    }
