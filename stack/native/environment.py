"""The environment variables of the local processes."""

from __future__ import annotations

from collections.abc import Mapping

from stack.native.programs import Programs
from stack.settings import Settings


def process_environment(
    settings: Settings, programs: Programs | None, given: Mapping[str, str]
) -> dict[str, str]:
    """What the processes get: all that was given, loopback addresses, data under .run/."""
    defaults = {
        "HOST": "127.0.0.1",
        # Locally every 15 s; towards a cloud samples cost.
        "OTEL_METRIC_EXPORT_INTERVAL": "15000",
        # Ctrl-C should not take long; requests take milliseconds.
        "SHUTDOWN_SECONDS": "4",
        "STATE_DIR": str(settings.run / "handler"),
    }
    fixed = {
        "PORT": str(settings.ports["PORT"]),
        "SIMULATOR_TARGET": settings.url("PORT"),
        "PYTHONUNBUFFERED": "1",
    }
    without_programs = {"OTEL_METRICS_EXPORTER": "none", "OTEL_TRACES_EXPORTER": "none"}
    chosen = {name: given.get(name) or default for name, default in defaults.items()}
    telemetry = _telemetry(settings, programs) if programs else without_programs
    return {**given, **chosen, **fixed, **telemetry}


def _telemetry(settings: Settings, programs: Programs) -> dict[str, str]:
    ports = settings.ports
    return {
        "OTEL_EXPORTER_OTLP_ENDPOINT": settings.url("OTLP_PORT"),
        "OTLP_HTTP_ENDPOINT": f"127.0.0.1:{ports['OTLP_PORT']}",
        "COLLECTOR_HEALTH_ENDPOINT": f"127.0.0.1:{ports['COLLECTOR_HEALTH_PORT']}",
        "COLLECTOR_METRICS_HOST": "127.0.0.1",
        "COLLECTOR_METRICS_PORT": str(ports["COLLECTOR_METRICS_PORT"]),
        "COLLECTOR_QUEUE_DIR": str(settings.run / "collector-queue"),
        "PROMETHEUS_URL": settings.url("PROMETHEUS_PORT"),
        "PROMETHEUS_PORT": str(ports["PROMETHEUS_PORT"]),
        "ALERTMANAGER_PORT": str(ports["ALERTMANAGER_PORT"]),
        "ALERTMANAGER_DIR": str(settings.run / "alertmanager"),
        "STACK_OTELCOL": str(programs.otelcol),
        "STACK_PROMETHEUS": str(programs.prometheus),
        "STACK_ALERTMANAGER": str(programs.alertmanager),
    }
