"""What the alert TelemetryDropped counts: points that are lost, not tries that are repeated."""

from __future__ import annotations

import re

import pytest

from prometheus.generator.alerts.telemetry import FAILURES
from tests.collector.test_outage import Traffic, wait_for_all
from tests.lab.collector import Collector
from tests.lab.faulty_proxy import FaultyProxy, faulty_proxy
from tests.lab.fixtures import MakeCollector
from tests.lab.grafana_cloud import cloud_settings
from tests.lab.polling import until
from tests.lab.prometheus import Prometheus
from tests.lab.sdk_worker import sdk_worker

pytestmark = pytest.mark.stack

TRIED = "otelcol_exporter_send_failed_metric_points_total"


def start(make_collector: MakeCollector, target: FaultyProxy) -> Collector:
    """By remote-write to Grafana Cloud."""
    settings = cloud_settings(target.url, "remote-write")
    return make_collector(OTEL_COLLECTOR_ROUTE="grafana-cloud", **settings).start()


def count_lost(collector: Collector) -> float:
    """What the alert's selectors find in the Collector's own metrics."""
    lost = 0.0
    for selector in FAILURES.values():
        found = re.fullmatch(r'(\w+)(?:\{(\w+)![~=]"(.*)"\})?', selector)
        assert found is not None, selector
        name, label, other = found.groups()
        for series, value in collector.internal_metric(name).items():
            labels = dict(re.findall(r'(\w+)="([^"]*)"', series))
            if label is None or not re.fullmatch(other, labels.get(label, "")):
                lost += value
    return lost


def test_tries_of_an_outage_are_no_loss(make_collector: MakeCollector, cloud: Prometheus) -> None:
    """A target that does not answer, then comes back: the exporter has counted failures (that was
    the false alarm), everything is stored, and the alert sees none."""
    with faulty_proxy(cloud.url) as target:
        target.mode = "hang"
        collector = start(make_collector, target)
        with sdk_worker(collector.endpoint) as worker:
            traffic = Traffic(worker)
            traffic.push()
            until(lambda: sum(collector.internal_metric(TRIED).values()) > 0, 60, "a failed try")
            target.mode = "pass"
            traffic.push()
            wait_for_all(cloud, traffic, 60)
        assert count_lost(collector) == 0


def test_points_that_are_refused_for_good_are_a_loss(
    make_collector: MakeCollector, cloud: Prometheus
) -> None:
    """What the target will never take is dropped: the alert sees it."""
    with faulty_proxy(cloud.url) as target:
        target.mode = "400"
        collector = start(make_collector, target)
        with sdk_worker(collector.endpoint) as worker:
            Traffic(worker).push()
            until(lambda: count_lost(collector) > 0, 60, "the loss is counted")
