"""What an alert's message leads to in Grafana Cloud, where no Prometheus serves the live view."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from prometheus.generator.panels import OF_JOB


@dataclass(frozen=True)
class Links:
    """Where dashboards and runbooks are; without an address a path stays a path."""

    grafana_url: str
    runbook_base_url: str

    @classmethod
    def of(cls, settings: Mapping[str, str]) -> Links:
        """By the settings of `grafana/cloud/access.py`."""
        return cls(settings["GRAFANA_URL"].rstrip("/"), settings["RUNBOOK_BASE_URL"])

    def rewrite(self, group: dict[str, Any]) -> dict[str, Any]:
        """The group with its alerts' addresses, as they are from there."""
        return group | {"rules": [self._rewrite(rule) for rule in group["rules"]]}

    def _rewrite(self, rule: dict[str, Any]) -> dict[str, Any]:
        annotations = rule.get("annotations", {})
        if "__dashboardUid__" not in annotations:
            return rule
        panel = f"/d/{annotations['__dashboardUid__']}?viewPanel={annotations['__panelId__']}"
        panel += OF_JOB
        runbook = f"docs/runbooks/{rule['alert']}.md"
        addresses = {
            "dashboard_url": self.grafana_url + panel,
            "runbook_url": self.runbook_base_url + runbook,
        }
        return rule | {"annotations": annotations | addresses}
