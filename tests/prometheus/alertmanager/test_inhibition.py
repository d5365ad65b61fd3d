"""An alert silences what follows from it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.lab.polling import until
from tests.lab.webhook import Webhook
from tests.prometheus.alertmanager.programs import (
    DOWN,
    DRIFT,
    list_notified,
    make_quick,
    run_alertmanager,
)

pytestmark = pytest.mark.stack


def test_a_service_that_is_down_silences_what_follows_from_it(
    tools: Path, tmp_path: Path, inbox: Webhook
) -> None:
    other = {**DRIFT, "job": "another"}
    stale = {**DRIFT, "alertname": "ModelStale"}
    with run_alertmanager(make_quick(tools, tmp_path, ALERT_WEBHOOK_URL=inbox.url)) as alertmanager:
        alertmanager.send(DOWN, DRIFT, other, stale)
        until(lambda: len(list_notified(inbox)) >= 3, 20, "three notifications")
        assert list_notified(inbox) == {
            ("ServiceDown", "fraud-handler", True),
            ("FeatureDrift", "another", True),
            ("ModelStale", "fraud-handler", True),
        }
        alertmanager.send(DOWN, resolved=True)
        late = ("FeatureDrift", "fraud-handler", True)
        until(lambda: late in list_notified(inbox), 30, "it is sent as soon as nothing silences it")


def test_a_page_silences_its_ticket(tools: Path, tmp_path: Path, inbox: Webhook) -> None:
    burn = {"alertname": "LatencyBudgetBurn", "job": "fraud-handler", "slo": "latency"}
    page, ticket = {**burn, "severity": "page"}, {**burn, "severity": "ticket"}
    other = {**ticket, "slo": "another"}
    with run_alertmanager(make_quick(tools, tmp_path, ALERT_WEBHOOK_URL=inbox.url)) as alertmanager:
        alertmanager.send(page, ticket, other)
        until(lambda: len(inbox.messages) >= 2, 20, "two notifications")
        seen = {(m.severity, dict(m.labels)["slo"]) for m in inbox.messages}
        assert seen == {("page", "latency"), ("ticket", "another")}


def test_a_silent_collector_silences_what_nobody_can_know(
    tools: Path, tmp_path: Path, inbox: Webhook
) -> None:
    """Of any job: the Collector's own is another than the service's."""
    silent = {"alertname": "TelemetrySilent", "severity": "page", "job": "otel-collector"}
    stale = {**DRIFT, "alertname": "ModelStale"}
    with run_alertmanager(make_quick(tools, tmp_path, ALERT_WEBHOOK_URL=inbox.url)) as alertmanager:
        alertmanager.send(silent, DOWN, {**DRIFT, "alertname": "LabelsStalled"}, stale)
        until(lambda: len(list_notified(inbox)) >= 2, 20, "two notifications")
        assert {alert for alert, _, _ in list_notified(inbox)} == {"TelemetrySilent", "ModelStale"}
