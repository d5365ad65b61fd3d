"""Where each alert is seen: the panel that names it in `alerts`, as `python -m grafana generate`
writes it down. Addresses are those of the live view, which Prometheus itself serves.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path

FILE = Path(__file__).with_name("alert_panels.json")
# Prometheus fills in its own address (--web.external-url), so that a message has a whole one.
LIVE_VIEW = "{{ $externalURL }}/user/"
OF_JOB = "{{ with $labels.job }}&var-job={{ . | urlquery }}{{ end }}"


@dataclass(frozen=True)
class Place:
    """A panel: its dashboard's uid and its id there."""

    dashboard: str
    panel: int

    @property
    def url(self) -> str:
        """Its address in the live view, with the service that the alert is about."""
        return f"{LIVE_VIEW}?d={self.dashboard}{OF_JOB}#panel-{self.panel}"


def locate(alert: str) -> Place:
    """Where the alert is seen; ValueError when no panel names it."""
    places = _read()
    if alert not in places:
        raise ValueError(
            f"{alert} is on no panel: name it in `alerts` of the panel in grafana/panels/ that"
            " shows its condition, then run `python -m grafana generate`"
        )
    return places[alert]


def runbook_url(alert: str) -> str:
    """The address of its runbook, which the live view has beside it."""
    return f"{LIVE_VIEW}runbooks/{alert}.md"


@cache
def _read() -> dict[str, Place]:
    content = json.loads(FILE.read_text(encoding="utf-8"))
    return {alert: Place(**place) for alert, place in content.items()}
