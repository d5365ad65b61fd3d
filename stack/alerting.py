"""What is told of alerts: where they are seen, whether anybody is told, and what fires now."""

from __future__ import annotations

import json
import subprocess
from collections import Counter
from collections.abc import Mapping

import yaml

from .errors import StackError
from .settings import Settings
from .web import get

_SCRIPT = "prometheus/alertmanager/start.sh"
_WAYS = {"webhook_configs": "webhook", "slack_configs": "Slack", "email_configs": "e-mail"}
# Fires as long as all is well: a heartbeat, and nobody's trouble.
_HEARTBEAT = "Watchdog"


def with_ways(addresses: Mapping[str, str]) -> dict[str, str]:
    """The addresses; Alertmanager's with the ways by which its alerts leave the machine."""
    shown = dict(addresses)
    if "Alerts" in shown:
        shown["Alerts"] += f" ({_sent(shown['Alerts'])})"
    return shown


def _sent(url: str) -> str:
    # Asked from the running program: under Docker the settings may be in a .env file.
    body = get(f"{url}/api/v2/status")
    if body is None:
        return "does not answer"
    config = yaml.safe_load(json.loads(body)["config"]["original"])
    receivers = {each["name"]: each for each in config["receivers"]}
    pages, tickets = receivers["pages"], receivers["tickets"]
    ways = [way for key, way in _WAYS.items() if key in tickets]
    if len(pages.get("webhook_configs", ())) > len(tickets.get("webhook_configs", ())):
        ways.insert(0, "pager")
    return f"sent by {', '.join(ways)}" if ways else "sent nowhere: set ALERT_WEBHOOK_URL"


def check(settings: Settings, environ: Mapping[str, str]) -> None:
    """Raises StackError with the script's own sentence when a setting of alerts is wrong."""
    if not any(name.startswith("ALERT_") and value for name, value in environ.items()):
        return
    asked = subprocess.run(
        ["sh", _SCRIPT, "--print"],
        cwd=settings.root,
        env=dict(environ),
        capture_output=True,
        text=True,
        check=False,
    )
    if asked.returncode:
        raise StackError(asked.stderr.strip().removeprefix("alertmanager: "), asked.returncode)


def firing(url: str) -> str:
    """What fires now, worst first, as Alertmanager would tell it: silenced ones left out."""
    body = get(f"{url}/api/v2/alerts?active=true&silenced=false&inhibited=false")
    if body is None:
        return "unknown: Alertmanager does not answer"
    labels = [alert["labels"] for alert in json.loads(body)]
    counts = Counter(
        (each.get("severity", ""), each["alertname"])
        for each in labels
        if each["alertname"] != _HEARTBEAT
    )
    # "page" comes before "ticket" in the alphabet.
    told = (f"{severity} {name}{_times(n)}" for (severity, name), n in sorted(counts.items()))
    return ", ".join(told) or "nothing"


def _times(count: int) -> str:
    return f" ({count})" if count > 1 else ""
