"""What the drill asks of the API server and tells it, beside kubectl."""

from __future__ import annotations

from typing import Any

import requests

from bench.scale.autoscaling.manifests import NAMESPACE
from tests.kubernetes.api_server import TOKEN, ApiServer

Json = dict[str, Any]
_PODS = f"/api/v1/namespaces/{NAMESPACE}/pods"
_HANDLER = "app.kubernetes.io/name=handler"
_SECONDS = 30


class ClusterApi:
    """One caller's connection; each thread has its own."""

    def __init__(self, server: ApiServer) -> None:
        self._url = server.url
        self._session = requests.Session()
        self._session.headers["Authorization"] = f"Bearer {TOKEN}"
        # The server signs its own certificate; a bundle named in the environment would come first.
        self._session.trust_env = False
        self._session.verify = str(server.folder / "certificates" / "apiserver.crt")

    def get(self, path: str, **asked: str) -> Json | None:
        """None where there is no such object."""
        answer = self._session.get(self._url + path, params=asked, timeout=_SECONDS)
        if answer.status_code == 404:
            return None
        assert answer.status_code == 200, f"{path}: {answer.status_code} {answer.text[:500]}"
        content: Json = answer.json()
        return content

    def pod(self, name: str) -> Json | None:
        """As the server has it in memory."""
        return self.get(f"{_PODS}/{name}", resourceVersion="0")

    def handler_pods(self) -> list[Json]:
        """All that there are, as the server has them in memory."""
        found = self.get(_PODS, labelSelector=_HANDLER, resourceVersion="0")
        assert found is not None
        pods: list[Json] = found["items"]
        return pods

    def set_status(self, pod: Json, status: Json) -> None:
        """Of exactly this pod, not of another with its name."""
        metadata = pod["metadata"]
        answer = self._session.patch(
            f"{self._url}{_PODS}/{metadata['name']}/status",
            json={"metadata": {"uid": metadata["uid"]}, "status": status},
            headers={"Content-Type": "application/strategic-merge-patch+json"},
            timeout=_SECONDS,
        )
        # 409 and 404: it is gone meanwhile.
        assert answer.status_code in (200, 404, 409), answer.text

    def remove(self, pod: Json) -> None:
        """It has ended: the object goes."""
        metadata = pod["metadata"]
        answer = self._session.delete(
            f"{self._url}{_PODS}/{metadata['name']}",
            json={"gracePeriodSeconds": 0, "preconditions": {"uid": metadata["uid"]}},
            timeout=_SECONDS,
        )
        assert answer.status_code in (200, 404, 409), answer.text


def is_leaving(pod: Json) -> bool:
    """It was told to end."""
    return "deletionTimestamp" in pod["metadata"]


def read_condition(manifest: Json, name: str) -> str | None:
    """The status of a condition; None while there is none."""
    conditions = manifest.get("status", {}).get("conditions", ())
    return next((one["status"] for one in conditions if one["type"] == name), None)


def is_serving(pod: Json) -> bool:
    """A Service would send requests to it."""
    return read_condition(pod, "Ready") == "True" and not is_leaving(pod)
