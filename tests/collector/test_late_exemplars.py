"""Two Collectors before one store: what one delivers late comes after the other's exemplars."""

from __future__ import annotations

import time
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.collector.test_failures import count_lost
from tests.lab.collector import Collector
from tests.lab.faulty_proxy import FaultyProxy, faulty_proxy
from tests.lab.polling import until
from tests.lab.prometheus import Prometheus
from tests.lab.sdk_worker import SdkWorker
from tests.lab.write_store import strict_store, write_settings

pytestmark = pytest.mark.stack

COUNT = "fraud_detection_score_count"
LATE_AFTER = 5 + 8
"""Seconds: the age and the length of a try in otel-collector/config/remote-write.yaml."""


def push(collector: Collector, scores: int) -> None:
    """What a worker that has scored so often would push, its last score within a trace."""
    worker = SdkWorker(collector.endpoint)
    with worker.tracer.start_as_current_span("POST /predict"):
        for _ in range(scores):
            worker.score.record(0.7)
    assert worker.push()
    worker.close()


def deliver_late(late: Collector, way: FaultyProxy, other: Collector, store: Prometheus) -> None:
    """One Collector's target is away when it gets the first push; the second goes by the other."""
    way.refuse()
    push(late, 1)
    pushed = time.monotonic()
    until(lambda: time.monotonic() - pushed > LATE_AFTER + 1, 20, "the first push is late")
    push(other, 2)
    until(lambda: store.number(COUNT) == 2, 20, "the second push is stored")
    way.accept()
    until(lambda: stored_counts(store)[:1] == [1], 20, "the first push is stored, too")


def stored_counts(store: Prometheus) -> list[float]:
    """The counts of scores that are stored, by time, repetitions left out."""
    values = [value for samples in store.samples(COUNT).values() for _, value in samples]
    return sorted(set(values))


def test_late_data_is_no_loss_at_a_store_that_is_strict_about_exemplars(
    tools: Path, tmp_path: Path, prometheus: Prometheus, exit_stack: ExitStack
) -> None:
    """The store answers 400 to a late exemplar; it gets none, all samples, and fresh exemplars."""
    store = exit_stack.enter_context(strict_store(prometheus.url))
    way = exit_stack.enter_context(faulty_proxy(store.url))
    late, other = (
        exit_stack.enter_context(Collector(tools, tmp_path / name, **write_settings(url)))
        for name, url in (("late", way.url), ("other", store.url))
    )
    deliver_late(late, way, other, prometheus)
    until(lambda: queued(late) == 0, 20, "the queue is empty")
    assert store.seen["late exemplar"] == 0
    assert count_lost(late) == 0
    assert len(prometheus.exemplars("fraud_detection_score_bucket")) == 1


def test_prometheus_takes_late_samples_and_their_exemplars(
    tools: Path, tmp_path: Path, prometheus: Prometheus, exit_stack: ExitStack
) -> None:
    """Within its out-of-order window; by OTLP nothing is taken off."""
    way = exit_stack.enter_context(faulty_proxy(prometheus.url))
    late, other = (
        exit_stack.enter_context(Collector(tools, tmp_path / name, PROMETHEUS_URL=url))
        for name, url in (("late", way.url), ("other", prometheus.url))
    )
    deliver_late(late, way, other, prometheus)
    assert len(prometheus.exemplars("fraud_detection_score_bucket")) == 2
    assert count_lost(late) == 0


def queued(collector: Collector) -> float:
    """Bytes in its queue of metrics."""
    sizes = collector.internal_metric("otelcol_exporter_queue_size")
    return sum(size for series, size in sizes.items() if "remote_write" in series)
