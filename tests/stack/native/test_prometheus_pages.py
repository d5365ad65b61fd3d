"""Prometheus, started by its line of Procfile.native: where its address and its links lead."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests
from honcho.environ import parse_procfile

from stack.native.environment import process_environment
from stack.native.programs import Programs
from stack.native.prometheus_config import link_live_view, write_prometheus_config
from stack.settings import PORTS, Settings, read_settings
from tests.lab.alertmanager import Alertmanager
from tests.lab.paths import ROOT
from tests.lab.polling import answers, until
from tests.lab.ports import free_port
from tests.lab.program import Program
from tests.lab.webhook import Webhook

pytestmark = pytest.mark.stack


class NativePrometheus(Program):
    """As `up` starts it, in a project with a space in its path."""

    def __init__(self, settings: Settings, tools: Path) -> None:
        self.settings = settings
        programs = Programs(
            tools / "otelcol", tools / "prometheus", tools / "alertmanager", to_build=()
        )
        write_prometheus_config(settings)
        link_live_view(settings.root, settings.run / "live-view")
        line = parse_procfile((ROOT / "Procfile.native").read_text()).processes["prometheus"]
        super().__init__(
            ["sh", "-c", f'cd "{settings.root}" && exec {line}'],
            settings.root / "log",
            process_environment(settings, programs, os.environ),
        )

    def is_ready(self) -> bool:
        return answers(f"{self.settings.url('PROMETHEUS_PORT')}/-/ready")


@pytest.fixture
def alertmanager(tools: Path, tmp_path: Path, webhook: Webhook) -> Iterator[Alertmanager]:
    """One that sends the heartbeat to the webhook."""
    beat = {"ALERT_HEARTBEAT_URL": webhook.url, "ALERT_GROUP_INTERVAL": "1s"}
    with Alertmanager(tools, tmp_path / "alertmanager", **beat) as started:
        yield started


@pytest.fixture
def prometheus(
    tools: Path, tmp_path: Path, alertmanager: Alertmanager
) -> Iterator[NativePrometheus]:
    root = tmp_path / "a project"
    root.mkdir()
    for folder in ("prometheus", "grafana", "docs"):
        (root / folder).symlink_to(ROOT / folder)
    ports = {setting.name: str(free_port()) for setting in PORTS}
    ports["ALERTMANAGER_PORT"] = str(alertmanager.port)
    with NativePrometheus(read_settings(root, ports), tools) as started:
        yield started


def test_its_own_address_leads_to_the_live_view(prometheus: NativePrometheus) -> None:
    """From each of the pages that it lacks when it is built from its module."""
    url = prometheus.settings.url("PROMETHEUS_PORT")
    for page in ("/", "/graph?g0.expr=up", "/alerts"):
        found = requests.get(f"{url}{page}", timeout=10)
        assert found.status_code == 200, page
        assert 'content="0; url=user/"' in found.text
    assert requests.get(f"{url}/user/", timeout=10).status_code == 200


def test_links_of_a_message_open(prometheus: NativePrometheus, webhook: Webhook) -> None:
    """Whole addresses: dashboard and panel in the live view, and the runbook."""
    until(lambda: bool(webhook.messages), 240, "the heartbeat comes")
    annotations = dict(webhook.messages[0].annotations)
    address = f"http://localhost:{prometheus.settings.ports['PROMETHEUS_PORT']}/user/"
    assert annotations["dashboard_url"].startswith(f"{address}?d=fraud-pipeline#panel-")
    assert annotations["runbook_url"] == f"{address}runbooks/Watchdog.md"
    for link in ("dashboard_url", "runbook_url"):
        assert requests.get(annotations[link], timeout=10).status_code == 200
