"""A Grafana and a ruler that are as strict as their documentation, on a loopback port."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest
import yaml

from prometheus.client.http import Client, basic
from tests.grafana.scenario import WORKERS, Running, now
from tests.grafana.server import prometheus
from tests.grafana.service import Service

ROOT = Path(__file__).resolve().parents[2]
SERVICE_TOKEN = "glsa_secret-of-the-service-account"
POLICY_TOKEN = "glc_secret-of-the-access-policy"
METRICS_ID = "1234567"
STACK_ID = "7654321"


def read_dashboard(name: str) -> dict[str, Any]:
    """The committed dashboard, as Grafana reads it."""
    text = (ROOT / "grafana" / "dashboards" / f"{name}.json").read_text(encoding="utf-8")
    content: dict[str, Any] = json.loads(text)
    return content


@dataclass
class Cloud:
    """What is stored there, and every request that came in."""

    url: str = ""
    folders: dict[str, dict[str, Any]] = field(default_factory=dict)
    dashboards: dict[str, dict[str, Any]] = field(default_factory=dict)
    rules: dict[str, dict[str, dict[str, Any]]] = field(default_factory=dict)
    requests: list[str] = field(default_factory=list)
    troubles: list[tuple[int, dict[str, str]]] = field(default_factory=list)

    @property
    def writes(self) -> list[str]:
        """Requests that change something."""
        return [request for request in self.requests if not request.startswith("GET ")]

    @property
    def environment(self) -> dict[str, str]:
        """Settings that fit this server."""
        return {
            "GRAFANA_URL": self.url,
            "GRAFANA_SERVICE_ACCOUNT_TOKEN": SERVICE_TOKEN,
            "GRAFANA_CLOUD_OTLP_ID": STACK_ID,
            "GRAFANA_CLOUD_PROM_URL": f"{self.url}/api/prom/push",
            "GRAFANA_CLOUD_PROM_ID": METRICS_ID,
            "GRAFANA_CLOUD_TOKEN": POLICY_TOKEN,
        }

    def answer(
        self, method: str, path: str, headers: Any, body: bytes
    ) -> tuple[int, dict[str, str], bytes]:
        """Status, headers and body, as Grafana's and Mimir's references describe them."""
        self.requests.append(f"{method} {path}")
        if self.troubles:
            status, extra = self.troubles.pop(0)
            return status, extra, b'{"message": "trouble on purpose"}'
        if path.startswith("/apis/"):
            return self._resource(method, path, headers, body)
        if path.startswith("/prometheus/config/v1/rules/"):
            return self._rules(method, path, headers, body)
        return 404, {}, b'{"message": "not found"}'

    def _resource(
        self, method: str, path: str, headers: Any, body: bytes
    ) -> tuple[int, dict[str, str], bytes]:
        if headers["Authorization"] != f"Bearer {SERVICE_TOKEN}":
            return 401, {}, b'{"message": "Invalid API key"}'
        _, _, group, version, _, namespace, plural, *rest = path.split("/")
        stores = {
            ("folder.grafana.app", "folders"): self.folders,
            ("dashboard.grafana.app", "dashboards"): self.dashboards,
        }
        store = stores.get((group, plural))
        if store is None or version != "v1" or namespace != f"stacks-{STACK_ID}":
            return 403, {}, b'{"message": "no access to the namespace"}'
        if method == "GET":
            found = store.get(rest[0])
            return (200, {}, json.dumps(found).encode()) if found else (404, {}, b"{}")
        if headers["Content-Type"] != "application/json":
            return 415, {}, b'{"message": "unsupported media type"}'
        sent = json.loads(body)
        name = sent["metadata"]["name"]
        folder = sent["metadata"].get("annotations", {}).get("grafana.app/folder")
        if "title" not in sent["spec"] or (folder and folder not in self.folders):
            return 400, {}, b'{"message": "missing or invalid fields"}'
        if method == "POST" and rest == []:
            if name in store:
                return 409, {}, b'{"message": "already exists"}'
            sent["metadata"]["resourceVersion"] = "1"
            store[name] = sent
            return 201, {}, json.dumps(sent).encode()
        if method == "PUT" and rest == [name] and name in store:
            now = store[name]["metadata"]["resourceVersion"]
            if sent["metadata"].get("resourceVersion", now) != now:
                return 409, {}, b'{"message": "the object has been modified"}'
            sent["metadata"]["resourceVersion"] = str(int(now) + 1)
            store[name] = sent
            return 200, {}, json.dumps(sent).encode()
        return 405, {}, b'{"message": "method not allowed"}'

    def _rules(
        self, method: str, path: str, headers: Any, body: bytes
    ) -> tuple[int, dict[str, str], bytes]:
        if headers["Authorization"] != basic(METRICS_ID, POLICY_TOKEN):
            return 401, {}, b"unauthorized"
        namespace, *group = [
            unquote(part) for part in path.removeprefix("/prometheus/config/v1/rules/").split("/")
        ]
        present = self.rules.setdefault(namespace, {})
        if method == "GET" and not group:
            if not present:
                return 404, {}, b"no rule groups found"
            return 200, {}, yaml.safe_dump({namespace: list(present.values())}).encode()
        if method == "POST" and not group:
            sent = yaml.safe_load(body)
            if headers["Content-Type"] != "application/yaml" or not sent.get("rules"):
                return 400, {}, b"invalid rule group"
            present[sent["name"]] = sent
            return 202, {}, b'{"status":"success"}'
        if method == "DELETE" and group:
            return (202 if present.pop(group[0], None) else 404), {}, b""
        return 405, {}, b""


@pytest.fixture
def cloud() -> Iterator[Cloud]:
    """An empty stack of Grafana Cloud."""
    stack = Cloud()

    class Handler(BaseHTTPRequestHandler):
        def _reply(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            status, headers, content = stack.answer(self.command, self.path, self.headers, body)
            self.send_response(status)
            for name, value in {**headers, "Content-Length": str(len(content))}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_POST = do_PUT = do_DELETE = _reply

        def log_message(self, format: str, *arguments: Any) -> None:
            """Quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    stack.url = f"http://127.0.0.1:{server.server_port}"
    yield stack
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """The service with ten minutes of traffic, in a Prometheus of its own."""
    with prometheus(tmp_path_factory.mktemp("prometheus")) as client:
        service = Service(client, WORKERS, already=1000)
        yield Running(client, service, now())


@pytest.fixture
def empty(tmp_path: Path) -> Iterator[Client]:
    """A Prometheus with nothing in it."""
    with prometheus(tmp_path) as client:
        yield client
