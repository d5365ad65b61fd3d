"""What is told of alerts at a start: where they are seen, and whether anybody is told."""

from __future__ import annotations

from collections.abc import Mapping

from .settings import Settings

# Setting -> how people call that way; prometheus/alertmanager/start.sh reads them.
_WAYS = {
    "ALERT_WEBHOOK_URL": "webhook",
    "ALERT_PAGE_WEBHOOK_URL": "pager",
    "ALERT_SLACK_WEBHOOK_URL": "Slack",
    "ALERT_EMAIL_TO": "e-mail",
}


def alerts_shown(settings: Settings, environ: Mapping[str, str]) -> str:
    """Alertmanager's address, and by which ways its alerts leave the machine."""
    ways = [way for setting, way in _WAYS.items() if environ.get(setting)]
    sent = f"sent by {', '.join(ways)}" if ways else "sent nowhere: set ALERT_WEBHOOK_URL"
    return f"http://localhost:{settings.ports['ALERTMANAGER_PORT']} ({sent})"
