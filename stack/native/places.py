"""Where the native stack answers: for people, and for the check whether it is ready."""

from __future__ import annotations

from stack.monitoring.readiness import Probe
from stack.native import cortex
from stack.settings import Settings


def handler(settings: Settings) -> str:
    """The service's address."""
    return _local(settings, "PORT")


def soon(settings: Settings) -> dict[str, str]:
    """Addresses while the programs that watch the service are built."""
    dashboards = f"{_local(settings, 'PROMETHEUS_PORT')}/user/ (being built: it shows how far)"
    return {"Handler": handler(settings), "Dashboards": dashboards}


def addresses(settings: Settings, watching: tuple[str, ...]) -> dict[str, str]:
    """Addresses by the names that people are shown, of the service and what watches it."""
    service = handler(settings)
    if not watching:
        return {"Handler": service, "Metrics": f"{service}/metrics"}
    prometheus = _local(settings, "PROMETHEUS_PORT")
    found = {
        "Dashboards": f"{prometheus}/user/",
        "Handler": service,
        **_store(settings, prometheus, watching),
        "Alerts": _local(settings, "ALERTMANAGER_PORT"),
    }
    return found | ({"Grafana": _local(settings, "GRAFANA_PORT")} if "grafana" in watching else {})


def _store(settings: Settings, address: str, watching: tuple[str, ...]) -> dict[str, str]:
    nodes = [cortex.node_url(settings, node) for node in cortex.NODES if node in watching]
    if not nodes:
        return {"Prometheus": address}
    ports = ", ".join(node.rpartition(":")[2] for node in nodes)
    return {"Cortex": f"{address} ({len(nodes)} nodes, at the ports {ports})"}


def probes(settings: Settings, watching: tuple[str, ...]) -> list[Probe]:
    """What answers when the service, and each that watches it, is ready."""
    every = {
        "otelcol": Probe("Collector", settings.url("COLLECTOR_HEALTH_PORT")),
        "prometheus": Probe("Prometheus", f"{settings.url('PROMETHEUS_PORT')}/-/ready"),
        **{
            node: Probe(node.title(), f"{cortex.node_url(settings, node)}/ready")
            for node in cortex.NODES
        },
        "alertmanager": Probe("Alertmanager", f"{settings.url('ALERTMANAGER_PORT')}/-/ready"),
        "grafana": Probe("Grafana", f"{settings.url('GRAFANA_PORT')}/api/health"),
    }
    first = Probe("handler", f"{settings.url('PORT')}/health/ready")
    return [first, *(probe for name, probe in every.items() if name in watching)]


def _local(settings: Settings, port: str) -> str:
    return f"http://localhost:{settings.ports[port]}"
