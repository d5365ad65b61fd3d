"""The environment that a started program gets: without the settings of whoever runs the tests."""

from __future__ import annotations

import os

from service.settings import TABLE

_PREFIXES = (
    "ALERT_", "COLLECTOR_", "GRAFANA_", "OTEL_", "OTLP_", "PROMETHEUS_", "REMOTE_WRITE_", "TEMPO_",
    "TRACES_",
)  # fmt: skip


def clean_environment() -> dict[str, str]:
    """This process' environment without settings of the handler or the stack."""
    settings = {setting.name for setting in TABLE}
    return {
        name: value
        for name, value in os.environ.items()
        if name not in settings and not name.startswith(_PREFIXES)
    }
