"""The environment variables of the local processes."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import unquote

from stack.native.cortex import cortex_environment
from stack.native.grafana import grafana_environment
from stack.native.programs import Programs
from stack.settings import SERVICE, Settings
from stack.traces.spans import FILE


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
        "PROBE_URL": f"{settings.url('PORT')}/health/ready",
        "PROBE_SERVICE": name_job(given),
        "STACK_PROGRESS_FILE": str(settings.progress),
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
        "TRACES_FILE": str(settings.traces / FILE),
        "PROMETHEUS_URL": settings.url("PROMETHEUS_PORT"),
        "PROMETHEUS_PORT": str(ports["PROMETHEUS_PORT"]),
        "ALERTMANAGER_PORT": str(ports["ALERTMANAGER_PORT"]),
        **settings.external,
        "ALERTMANAGER_DIR": str(settings.run / "alertmanager"),
        "STACK_OTELCOL": str(programs.otelcol),
        "STACK_PROMETHEUS": str(programs.prometheus),
        "STACK_ALERTMANAGER": str(programs.alertmanager),
        **(cortex_environment(settings, programs.cortex) if programs.cortex else {}),
        **(grafana_environment(settings, programs.grafana) if programs.grafana else {}),
    }


def name_job(given: Mapping[str, str]) -> str:
    """The label `job` of the handler's series, as its OTEL_* variables make it."""
    pairs = (pair.partition("=") for pair in given.get("OTEL_RESOURCE_ATTRIBUTES", "").split(","))
    attributes = {name.strip(): unquote(value.strip()) for name, _, value in pairs}
    name = given.get("OTEL_SERVICE_NAME") or attributes.get("service.name") or SERVICE
    before = (attributes.get(each) for each in ("service.namespace", "deployment.environment.name"))
    return "/".join([*filter(None, before), name])
