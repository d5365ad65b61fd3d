"""Where Grafana and its rules are, and how to sign in there: from the environment alone.

The dashboards want a service account of Grafana, the rules an access policy of Grafana Cloud: two
tokens, because neither place accepts the other's.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from grafana.errors import GrafanaError
from prometheus.client.http import Client, basic, bearer
from prometheus.client.query import Prometheus

CLOUD_DATASOURCE = "grafanacloud-prom"  # the uid that Grafana Cloud gives its own Prometheus

SETTINGS: Mapping[str, str] = {
    "GRAFANA_URL": "address of your Grafana, like https://name.grafana.net",
    "GRAFANA_SERVICE_ACCOUNT_TOKEN": "token of a service account with the role Editor (glsa_…)",
    "GRAFANA_NAMESPACE": "stacks-<number of your stack>, or default for a Grafana of your own",
    "GRAFANA_DATASOURCE_UID": f"uid of the data source ({CLOUD_DATASOURCE} if not set)",
    "GRAFANA_CLOUD_OTLP_ID": "number of your stack, as the Collector has it",
    "GRAFANA_CLOUD_PROM_URL": "remote-write address, as the Collector has it",
    "GRAFANA_CLOUD_PROM_ID": "number of your Prometheus, as the Collector has it",
    "GRAFANA_CLOUD_RULES_TOKEN": "access policy token with rules:read, rules:write and "
    "metrics:read (glc_…); GRAFANA_CLOUD_TOKEN if not set",
    "RUNBOOK_BASE_URL": "put before the paths of the runbooks that messages name",
}


FOR_DASHBOARDS = ("GRAFANA_URL", "GRAFANA_SERVICE_ACCOUNT_TOKEN", "GRAFANA_NAMESPACE")
SIGN_IN_HINT = (
    "the token was not accepted or lacks the scope metrics:read: check GRAFANA_CLOUD_PROM_ID and "
    "GRAFANA_CLOUD_RULES_TOKEN"
)
FOR_METRICS = ("GRAFANA_CLOUD_PROM_URL", "GRAFANA_CLOUD_PROM_ID", "GRAFANA_CLOUD_RULES_TOKEN")


@dataclass(frozen=True)
class GrafanaAccess:
    """A Grafana, the namespace of its API, and the data source that dashboards are to use."""

    client: Client
    namespace: str
    datasource_uid: str


def read_settings(environment: Mapping[str, str], required: Iterable[str]) -> Mapping[str, str]:
    """The settings with their fallbacks; GrafanaError names every required one that is missing."""
    values = {name: environment.get(name, "").strip() for name in SETTINGS}
    stack = values["GRAFANA_CLOUD_OTLP_ID"]
    if stack and not values["GRAFANA_NAMESPACE"]:
        values["GRAFANA_NAMESPACE"] = f"stacks-{stack}"
    if not values["GRAFANA_CLOUD_RULES_TOKEN"]:
        values["GRAFANA_CLOUD_RULES_TOKEN"] = environment.get("GRAFANA_CLOUD_TOKEN", "").strip()
    values["GRAFANA_DATASOURCE_UID"] = values["GRAFANA_DATASOURCE_UID"] or CLOUD_DATASOURCE
    missing = [f"{name} ({SETTINGS[name]})" for name in required if not values[name]]
    if missing:
        raise GrafanaError(f"not set in the environment: {'; '.join(missing)}")
    return values


def grafana_access(settings: Mapping[str, str]) -> GrafanaAccess:
    """Access for dashboards."""
    token = bearer(settings["GRAFANA_SERVICE_ACCOUNT_TOKEN"])
    return GrafanaAccess(
        Client(settings["GRAFANA_URL"], token, setting="GRAFANA_URL"),
        settings["GRAFANA_NAMESPACE"],
        settings["GRAFANA_DATASOURCE_UID"],
    )


def ruler_access(settings: Mapping[str, str]) -> Client:
    """Access for rules, which are kept where the samples go: the same host, another path."""
    return _metrics_client(settings, "")


def query_access(settings: Mapping[str, str]) -> Prometheus:
    """Access for queries: a Prometheus' API under the path that Grafana Cloud gives it."""
    return Prometheus(_metrics_client(settings, "/api/prom"), SIGN_IN_HINT)


def _metrics_client(settings: Mapping[str, str], path: str) -> Client:
    url = settings["GRAFANA_CLOUD_PROM_URL"]
    parts = urlsplit(url)
    if not parts.scheme or not parts.netloc:
        raise GrafanaError(
            "GRAFANA_CLOUD_PROM_URL must be like https://prometheus-….grafana.net/api/prom/push, "
            f"got {url!r}"
        )
    authorization = basic(settings["GRAFANA_CLOUD_PROM_ID"], settings["GRAFANA_CLOUD_RULES_TOKEN"])
    address = f"{parts.scheme}://{parts.netloc}{path}"
    return Client(address, authorization, setting="GRAFANA_CLOUD_PROM_URL")
