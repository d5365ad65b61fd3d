"""`./start_mlops.sh --native --store cortex`, really started: rules, alerts, dashboards, end."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import pytest
import requests

from stack.settings import CORTEX_PORT
from tests.lab.polling import answers, until
from tests.lab.ports import free_row
from tests.lab.prometheus import PrometheusApi
from tests.lab.webhook import Webhook
from tests.stack.conftest import Stack, copy, env, gone, spawn, start

__all__ = ["copy", "env", "spawn", "start"]  # fixtures

pytestmark = [pytest.mark.cortex, pytest.mark.timeout(900)]


class Store(PrometheusApi):
    """What answers in the place of Prometheus."""

    def __init__(self, port: str) -> None:
        self.url = f"http://127.0.0.1:{port}"


@pytest.fixture
def cortex_env(env: dict[str, str], cortex_folder: Path, tools: Path) -> dict[str, str]:
    """With free ports for the nodes."""
    row = {CORTEX_PORT.name: str(free_row(CORTEX_PORT.count))}
    return {**env, **row, "STACK_TOOLS_DIR": str(cortex_folder)}


def test_rules_alerts_and_dashboards_are_there_with_three_nodes(
    start: Callable[..., Stack], cortex_env: dict[str, str], webhook: Webhook
) -> None:
    """The heartbeat needs all: scraping, the store, its rules, Alertmanager. Nothing else fires."""
    hooks = {"ALERT_HEARTBEAT_URL": webhook.url, "ALERT_WEBHOOK_URL": webhook.url}
    stack = start({**cortex_env, **hooks}, "--native", "--store", "cortex")
    everyone = stack.wait_until_ready()
    store = Store(cortex_env["PROMETHEUS_PORT"])
    until(lambda: store.number('count(up{job="cortex"} == 1)') == 3, 120, "three nodes are seen")
    until(lambda: bool(store.query("exporter:queue:ratio")), 240, "a rule recorded a value")
    until(lambda: "Watchdog" in webhook.fired(0, time.time()), 240, "the heartbeat arrives")
    assert webhook.fired(0, time.time()) == {"Watchdog"}
    assert store.query("prometheus_rule_evaluation_failures_total > 0") == []
    for page in ("", "js/main.js", "dashboards/overview.json"):
        assert answers(f"{store.url}/user/{page}"), page
    for target in dict(webhook.messages[0].annotations)["dashboard_url"].splitlines():
        assert requests.get(target, timeout=30).status_code == 200
    status = stack.other_terminal("status")
    assert status.returncode == 0, status.stderr
    assert f"{cortex_env['PROMETHEUS_PORT']} (3 nodes, at the ports " in status.stdout
    assert "  Scored/s  " in status.stdout and "unknown" not in status.stdout
    assert stack.other_terminal("stop").returncode == 0
    assert stack.process.wait(60) == 0
    assert all(gone(process.pid) for process in everyone)


def test_a_busy_port_of_the_row_is_reported_before_anything_starts(
    start: Callable[..., Stack], cortex_env: dict[str, str]
) -> None:
    busy = int(cortex_env["OTLP_PORT"])
    first = busy - 4
    stack = start({**cortex_env, "CORTEX_PORT": str(first)}, "--native", "--store", "cortex")
    assert stack.process.wait(60) == 1
    assert f"both take {busy}; a port is used once" in stack.said()
