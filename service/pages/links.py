"""Where people see more: the addresses that the start page links to."""

from __future__ import annotations

from dataclasses import dataclass

from service.settings import Settings

# Where Prometheus serves the live view (--web.user-assets).
_LIVE_VIEW = "/user/"


@dataclass(frozen=True)
class Links:
    """Empty where nobody said where it is."""

    dashboards: str = ""
    alerts: str = ""
    traces: str = ""
    """What stands before a trace's id."""


def find_links(settings: Settings) -> Links:
    """As the settings say; the live view stands in for dashboards elsewhere."""
    prometheus = settings.prometheus_external_url
    live_view = prometheus + _LIVE_VIEW if prometheus else ""
    return Links(
        dashboards=settings.dashboards_url or live_view,
        alerts=settings.alertmanager_external_url,
        traces=live_view and f"{live_view}?trace=",
    )
