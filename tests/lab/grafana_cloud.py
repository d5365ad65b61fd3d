"""A Prometheus behind basic authentication in the place of Grafana Cloud: who may write there."""

from __future__ import annotations

USER = "123456"
TOKEN = "token-of-the-tests"
TOKEN_BCRYPT = "$2b$04$8xWrPWN8cZzrcySLqiju2OLnbhJTncOIS/HANOmfAouUeaBMwv/N."
"""TOKEN's hash at the lowest cost: Prometheus checks it at every request."""


def cloud_settings(target: str, metrics: str, token: str = TOKEN) -> dict[str, str]:
    """The Collector's settings for a Prometheus that stands in for Grafana Cloud."""
    common = {"GRAFANA_CLOUD_METRICS": metrics, "GRAFANA_CLOUD_TOKEN": token}
    if metrics == "otlp":
        return common | {
            "GRAFANA_CLOUD_OTLP_ENDPOINT": f"{target}/api/v1/otlp",
            "GRAFANA_CLOUD_OTLP_ID": USER,
        }
    return common | {
        "GRAFANA_CLOUD_PROM_URL": f"{target}/api/v1/write",
        "GRAFANA_CLOUD_PROM_ID": USER,
    }


def both_settings(local: str, cloud: str, metrics: str, token: str = TOKEN) -> dict[str, str]:
    """The Collector's settings for the route to a local Prometheus and to that cloud."""
    return {
        "OTEL_COLLECTOR_ROUTE": "both",
        "PROMETHEUS_URL": local,
        **cloud_settings(cloud, metrics, token),
    }
