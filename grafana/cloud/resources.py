"""Folders and dashboards of a Grafana (13 or newer), by the API that Grafana documents for them:
`/apis/<group>/v1/namespaces/<namespace>/<resource>/<name>`.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from grafana.cloud.access import GrafanaAccess
from grafana.errors import GrafanaError
from grafana.render.board import Json
from prometheus.client.http import Answer

HINTS = {
    401: "the token was not accepted: check GRAFANA_SERVICE_ACCOUNT_TOKEN (a service account's "
    "token, glsa_…, not an access policy's)",
    403: "the service account may not do that: give it the role Editor",
    404: "no such place: check GRAFANA_URL and GRAFANA_NAMESPACE",
    409: "somebody else changed it at the same time: run this again",
    412: "somebody else changed it at the same time: run this again",
}


@dataclass(frozen=True)
class Kind:
    """A kind of resource and where its API is."""

    name: str
    group: str
    plural: str

    @property
    def version(self) -> str:
        """What Grafana calls the apiVersion."""
        return f"{self.group}/v1"


FOLDER = Kind("Folder", "folder.grafana.app", "folders")
DASHBOARD = Kind("Dashboard", "dashboard.grafana.app", "dashboards")


class Resources:
    """Reads and writes resources in one namespace."""

    def __init__(self, access: GrafanaAccess) -> None:
        self._client = access.client
        self._namespace = access.namespace

    def find(self, kind: Kind, name: str) -> Json | None:
        """The resource as it is now, or None if there is none of that name."""
        answer = self._client.get(f"{self._path(kind)}/{name}")
        if answer.status == 404:
            return None
        self._expect(answer, {200}, f"looking for the {kind.name.lower()} {name}")
        found: Json = answer.json()
        return found

    def create(self, kind: Kind, name: str, spec: Json, folder: str = "") -> None:
        """Put a new resource there."""
        body = self._body(kind, {"name": name, **self._annotations(folder)}, spec)
        answer = self._client.send("POST", self._path(kind), body, "application/json")
        self._expect(answer, {200, 201}, f"creating the {kind.name.lower()} {name}")

    def replace(self, kind: Kind, found: Json, spec: Json, folder: str = "") -> None:
        """Put `spec` in the place of what was found, unless that has changed meanwhile."""
        name = found["metadata"]["name"]
        metadata = {
            "name": name,
            "resourceVersion": found["metadata"]["resourceVersion"],
            **self._annotations(folder),
        }
        body = self._body(kind, metadata, spec)
        answer = self._client.send("PUT", f"{self._path(kind)}/{name}", body, "application/json")
        self._expect(answer, {200}, f"replacing the {kind.name.lower()} {name}")

    def _path(self, kind: Kind) -> str:
        return f"/apis/{kind.version}/namespaces/{self._namespace}/{kind.plural}"

    @staticmethod
    def _annotations(folder: str) -> dict[str, dict[str, str]]:
        if not folder:
            return {}
        message = "python -m grafana upload"
        return {"annotations": {"grafana.app/folder": folder, "grafana.app/message": message}}

    @staticmethod
    def _body(kind: Kind, metadata: dict[str, Any], spec: Json) -> bytes:
        content = {
            "apiVersion": kind.version,
            "kind": kind.name,
            "metadata": metadata,
            "spec": spec,
        }
        return json.dumps(content).encode()

    def _expect(self, answer: Answer, statuses: set[int], doing: str) -> None:
        if answer.status in statuses:
            return
        hint = HINTS.get(answer.status, answer.reason())
        raise GrafanaError(f"{doing} at {self._client.address}: {answer.status}, {hint}")
