"""What is told of alerts: where they are seen, whether anybody is told, and what fires now."""

from __future__ import annotations

import json
import subprocess
from collections import Counter
from collections.abc import Mapping

from .errors import StackError
from .settings import Settings
from .web import get

_SCRIPT = "prometheus/alertmanager/start.sh"
# Setting -> how people call that way; the script reads them.
_WAYS = {
    "ALERT_WEBHOOK_URL": "webhook",
    "ALERT_PAGE_WEBHOOK_URL": "pager",
    "ALERT_SLACK_WEBHOOK_URL": "Slack",
    "ALERT_EMAIL_TO": "e-mail",
}
# Fires as long as all is well: a heartbeat, and nobody's trouble.
_HEARTBEAT = "Watchdog"


def alerts_shown(settings: Settings, environ: Mapping[str, str]) -> str:
    """Alertmanager's address, and by which ways its alerts leave the machine."""
    ways = [way for setting, way in _WAYS.items() if environ.get(setting)]
    sent = f"sent by {', '.join(ways)}" if ways else "sent nowhere: set ALERT_WEBHOOK_URL"
    return f"http://localhost:{settings.ports['ALERTMANAGER_PORT']} ({sent})"


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
