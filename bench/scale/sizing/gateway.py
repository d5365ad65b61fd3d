"""The most that one Collector hands on: pushes as fast as they are answered."""

from __future__ import annotations

import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from bench.scale.sizing.measurement import count_lost
from bench.scale.sizing.monitored_stack import MonitoredStack, read_usage
from bench.scale.sizing.push_template import PushTemplate
from bench.scale.sizing.sender import Plan, name_instances, sending
from tests.lab.tools import tools_folder


@dataclass(frozen=True)
class Saturated:
    """A second: pushes and samples that the store took, processors of each part; the queue at its
    fullest, and what the Collector refused."""

    pushes: float
    samples: float
    collector_cpu: float
    store_cpu: float
    sender_cpu: float
    queue_mib: float
    refused: int
    lost: float


def saturate(template: PushTemplate, instances: int, seconds: float) -> Saturated:
    """One sender that waits for nothing but the answers, and everything on this machine."""
    with (
        tempfile.TemporaryDirectory() as name,
        MonitoredStack(tools_folder(), Path(name)) as stack,
    ):
        plan = Plan(stack.collector.endpoint, template, name_instances(instances, 1), 0)
        programs = (stack.collector, stack.prometheus)
        before = [read_usage(one).cpu_seconds for one in programs]
        began, queue = time.monotonic(), 0.0
        with sending(plan) as sender:
            while time.monotonic() - began < seconds:
                time.sleep(0.5)
                queue = max(queue, stack.queued())
            sent = sender.stop()
        stack.wait_until_delivered(300)
        # Until the last was delivered: what the store really took.
        took = time.monotonic() - began
        busy = [read_usage(one).cpu_seconds for one in programs]
        collector, store = ((end - start) / took for start, end in zip(before, busy, strict=True))
        return Saturated(
            pushes=sent.pushes / took,
            samples=sent.pushes * template.series / took,
            collector_cpu=collector,
            store_cpu=store,
            sender_cpu=sent.cpu_seconds / sent.seconds,
            queue_mib=queue / 2**20,
            refused=sent.refused,
            lost=count_lost(stack, template, sent),
        )
