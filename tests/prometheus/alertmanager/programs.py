"""An Alertmanager that groups for seconds only, the Prometheus that sends to it, and alerts."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.lab.alertmanager import Alertmanager
from tests.lab.prometheus import Prometheus
from tests.lab.webhook import Webhook

QUICK = {"ALERT_GROUP_WAIT": "2s", "ALERT_GROUP_INTERVAL": "1s"}
DOWN = {"alertname": "ServiceDown", "severity": "page", "job": "fraud-handler"}
DRIFT = {"alertname": "FeatureDrift", "severity": "ticket", "job": "fraud-handler"}


@contextmanager
def run_alertmanager(program: Alertmanager) -> Iterator[Alertmanager]:
    try:
        yield program.start()
    finally:
        program.terminate()


def make_quick(tools: Path, folder: Path, **settings: str) -> Alertmanager:
    return Alertmanager(tools, folder, **QUICK, **settings)


def list_notified(inbox: Webhook) -> set[tuple[str, str, bool]]:
    return {(m.alert, dict(m.labels)["job"], m.firing) for m in inbox.messages}


@contextmanager
def run_prometheus(alertmanager: Alertmanager, tools: Path, folder: Path) -> Iterator[Prometheus]:
    """A running Prometheus with the project's configuration, made quick."""
    prometheus = Prometheus(tools, folder)
    config = folder / "prometheus.yml"
    config.write_text(config.read_text().replace("_interval: 15s", "_interval: 1s"))
    # A minute by default.
    prometheus.command.append("--rules.alert.resend-delay=1s")
    targets = folder / "targets" / "alertmanager"
    targets.mkdir(parents=True)
    (targets / "x.yml").write_text(f"- targets: ['127.0.0.1:{alertmanager.port}']\n")
    try:
        yield prometheus.start()
    finally:
        prometheus.terminate()
