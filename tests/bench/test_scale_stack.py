"""Made-up replicas before the real Collector and Prometheus: everything that is sent is stored."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from bench.rules import encode_push
from bench.scale.sizing.measurement import Timing, count_lost, measure_on
from bench.scale.sizing.monitored_stack import COUNTED, MonitoredStack
from bench.scale.sizing.push_template import PushTemplate
from bench.scale.sizing.sender import Plan, name_instances, sending
from tests.lab.polling import until

pytestmark = pytest.mark.stack


@pytest.mark.parametrize("replicas", [1, 3])
def test_series_and_counts_in_the_store_are_those_that_were_sent(
    tools: Path, tmp_path: Path, replicas: int
) -> None:
    template = PushTemplate.rising(encode_push(5))
    with MonitoredStack(tools, tmp_path) as stack:
        found = measure_on(stack, template, (replicas, 2), Timing(1, 2, 4))
        selector = '{job="fraud-handler", instance=~"replica-.*"}'
        stored = stack.prometheus.number(f"count(last_over_time({selector}[10m]))")
        instances = set(stack.stored_counts())
    assert stored == found.pushed_series == template.series * replicas * 2
    assert instances == set(name_instances(replicas, 2))
    assert found.lost == 0 and found.refused == 0
    assert found.pushes >= 4 * replicas * 2
    assert found.samples_per_second > template.series * replicas


def test_push_that_is_not_in_the_store_is_found(tools: Path, tmp_path: Path) -> None:
    template = PushTemplate.rising(encode_push(5))
    with MonitoredStack(tools, tmp_path) as stack:
        plan = Plan(stack.collector.endpoint, template, ("replica-0-0",), 0.5)
        with sending(plan) as sender:
            seen = f"count(last_over_time({COUNTED}[1m])) > 0"
            until(lambda: stack.prometheus.number(seen) is not None, 30, "a push is stored")
            sent = sender.stop()
        stack.wait_until_delivered(30)
        assert count_lost(stack, template, sent) == 0
        one_more = replace(sent, taken={"replica-0-0": sent.pushes + 1})
        counts = template.total(sent.pushes) - template.total(sent.pushes - 1)
        assert count_lost(stack, template, one_more) == counts + template.series


def test_push_that_nobody_took_is_refused_and_not_counted(tools: Path, tmp_path: Path) -> None:
    """The next one has the same number, as the handler's."""
    template = PushTemplate.rising(encode_push(5))
    with MonitoredStack(tools, tmp_path) as stack:
        stack.collector.kill()
        with sending(Plan(stack.collector.endpoint, template, ("a", "b"), 0.2)) as sender:
            stack.collector.start()
            seen = f"count(last_over_time({COUNTED}[1m])) > 0"
            until(lambda: stack.prometheus.number(seen) is not None, 30, "a push is stored")
            sent = sender.stop()
        stack.wait_until_delivered(30)
        assert sent.refused > 0 and sent.failures
        assert count_lost(stack, template, sent) == 0
