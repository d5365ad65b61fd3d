"""Alerts as people see them: where they are sent, whether the settings are right, what fires."""

from __future__ import annotations

import json
import subprocess
from collections import Counter
from collections.abc import Mapping

import yaml

from stack.errors import StackError
from stack.monitoring.http import get_text
from stack.settings import Settings

_SCRIPT = "prometheus/alertmanager/start.sh"
_RECEIVER_KINDS = {
    "webhook_configs": "webhook",
    "slack_configs": "Slack",
    "email_configs": "e-mail",
}
# Fires as long as all is well: a heartbeat (dead man's switch).
_HEARTBEAT = "Watchdog"
# Jobs that watch, whatever the service.
_OF_THE_STACK = ("prometheus", "otel-collector", "alertmanager")


def with_receivers(addresses: Mapping[str, str]) -> dict[str, str]:
    """The addresses; Alertmanager's with the receivers that its alerts are sent to."""
    shown = dict(addresses)
    if "Alerts" in shown:
        shown["Alerts"] += f" ({_describe_receivers(shown['Alerts'])})"
    return shown


def _describe_receivers(url: str) -> str:
    # Asked from the running program: under Docker the settings may be in a .env file.
    body = get_text(f"{url}/api/v2/status")
    if body is None:
        return "does not answer"
    config = yaml.safe_load(json.loads(body)["config"]["original"])
    receivers = {each["name"]: each for each in config["receivers"]}
    pages, tickets = receivers["pages"], receivers["tickets"]
    kinds = [kind for key, kind in _RECEIVER_KINDS.items() if key in tickets]
    if len(pages.get("webhook_configs", ())) > len(tickets.get("webhook_configs", ())):
        kinds.insert(0, "pager")
    return f"sent by {', '.join(kinds)}" if kinds else "sent nowhere: set ALERT_WEBHOOK_URL"


def check_settings(settings: Settings, environ: Mapping[str, str]) -> None:
    """Raises StackError with the script's own sentence when a setting of alerts is wrong."""
    if not any(name.startswith("ALERT_") and value for name, value in environ.items()):
        return
    checked = subprocess.run(
        ["sh", _SCRIPT, "--print"],
        cwd=settings.root,
        env=dict(environ),
        capture_output=True,
        text=True,
        check=False,
    )
    if checked.returncode:
        raise StackError(checked.stderr.strip().removeprefix("alertmanager: "), checked.returncode)


def describe_firing(url: str, job: str) -> str:
    """What fires now of the service and of the stack, worst first, as Alertmanager would send it:
    silenced ones left out. Of every service where `job` is empty."""
    body = get_text(f"{url}/api/v2/alerts?active=true&silenced=false&inhibited=false")
    if body is None:
        return "unknown: Alertmanager does not answer"
    ours = {"", job, *_OF_THE_STACK}
    labels = [
        each
        for each in (alert["labels"] for alert in json.loads(body))
        if not job or each.get("job", "") in ours
    ]
    counts = Counter(
        (each.get("severity", ""), each["alertname"])
        for each in labels
        if each["alertname"] != _HEARTBEAT
    )
    # "page" comes before "ticket" in the alphabet.
    counted = (f"{severity} {name}{_times(n)}" for (severity, name), n in sorted(counts.items()))
    return ", ".join(counted) or "nothing"


def _times(count: int) -> str:
    return f" ({count})" if count > 1 else ""
