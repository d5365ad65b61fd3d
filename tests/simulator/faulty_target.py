"""A scoring service of a few lines, with the faults that a real one can have, on a real socket.

It judges requests by code of its own: what is invalid is not found by what made it so.
"""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

DECILES = {
    "amount": [0.5, 14.0, 23.0, 33.0, 45.0, 60.0, 81.0, 113.0, 165.0, 280.0, 9400.0],
    "age": [18, 28, 33, 37, 41, 45, 49, 53, 58, 64, 88],
    "account_balance": [12, 90, 350, 1500, 2300, 3000, 3900, 5100, 9000, 27000, 240000],
    "transaction_frequency": [0, 1, 1, 2, 2, 3, 4, 5, 6, 8, 41],
    "location_risk": [0.0001, 0.05, 0.09, 0.12, 0.16, 0.2, 0.24, 0.29, 0.35, 0.44, 0.93],
}
MAXIMA = {"amount": 50000, "age": 120, "account_balance": 1e6, "transaction_frequency": 500}
WHOLE = {"age", "transaction_frequency"}


def describe_model() -> dict[str, Any]:
    """A `/model_info` of the default kind."""
    return {
        "version": "1-test",
        "features": [
            {
                "name": name,
                "type": "integer" if name in WHOLE else "number",
                "minimum": 18 if name == "age" else 0,
                "maximum": MAXIMA.get(name, 1),
                "categories": None,
                "quantiles": quantiles,
            }
            for name, quantiles in DECILES.items()
        ],
        "user_types": {"feature": "account_balance", "premium_from": 10000, "standard_from": 1500},
    }


class ScoringServer(ThreadingHTTPServer):
    """Answers as a scoring service would; `before_answer` may stall, or say another status."""

    daemon_threads = True
    request_queue_size = 1024

    def __init__(self, host: str = "127.0.0.1") -> None:
        if ":" in host:
            self.address_family = socket.AF_INET6
        super().__init__((host, 0), _Handler)
        self.model_info: object = describe_model()
        self.model_info_status = 200
        self.largest_body = 262_144
        self.before_answer: Callable[[int], int | None] = lambda number: None
        self.received: list[bytes] = []
        self.authorizations: set[str | None] = set()
        self.lock = threading.Lock()

    @property
    def url(self) -> str:
        host, port = str(self.server_address[0]), self.server_address[1]
        return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"

    def handle_error(self, request: object, client_address: object) -> None:
        """A simulator that gave up is no error of this server."""


class _Handler(BaseHTTPRequestHandler):
    server: ScoringServer
    protocol_version = "HTTP/1.1"
    timeout = 30

    def do_GET(self) -> None:
        self.server.authorizations.add(self.headers.get("Authorization"))
        known = self.path == "/model_info"
        self._answer(self.server.model_info_status if known else 404, self.server.model_info)

    def do_POST(self) -> None:
        length = int(self.headers["Content-Length"])
        body = self.rfile.read(length)
        with self.server.lock:
            self.server.received.append(body)
            number = len(self.server.received)
            self.server.authorizations.add(self.headers.get("Authorization"))
        status = self.server.before_answer(number)
        if status == 0:
            self.close_connection = True
            return
        if status is not None:
            self._answer(status, {"error": {"type": "internal", "message": "on purpose"}})
        else:
            self._answer(*self._score(length, body))

    def _score(self, length: int, body: bytes) -> tuple[int, object]:
        if length > self.server.largest_body:
            return 413, {"error": {"type": "too_large"}}
        kind = find_fault(body, self.server.model_info)
        if kind is not None:
            return 400, {"error": {"type": kind}}
        fraud = json.loads(body).get("location_risk", 0) > 0.44
        return 200, {
            "prediction": "fraud" if fraud else "legitimate",
            "user_type": json.loads(body).get("user_type", "derived"),
            "risk_level": "high" if fraud else "low",
        }

    def _answer(self, status: int, document: object) -> None:
        body = document if isinstance(document, bytes) else json.dumps(document).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        if 300 <= status < 400:
            self.send_header("Location", "/elsewhere")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *arguments: object) -> None:
        """Nothing: the tests look at what was received."""


@contextmanager
def serve(server: ScoringServer) -> Iterator[ScoringServer]:
    """Serves in a thread."""
    with server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def find_fault(body: bytes, model_info: Any) -> str | None:
    """The error type of a request body by a `/model_info`; None where it is valid."""
    try:
        transaction = json.loads(body)
    except ValueError:
        return "invalid_json"
    features = {feature["name"]: feature for feature in model_info["features"]}
    if set(features) - set(transaction):
        return "missing_field"
    if set(transaction) - set(features) - {"user_type"}:
        return "unknown_field"
    for name, feature in features.items():
        fault = _find_value_fault(transaction[name], feature)
        if fault is not None:
            return fault
    return None


def _find_value_fault(value: Any, feature: dict[str, Any]) -> str | None:
    types: dict[str, Any] = {
        "number": (int, float),
        "integer": int,
        "boolean": bool,
        "category": str,
    }
    if isinstance(value, bool) != (feature["type"] == "boolean"):
        return "wrong_type"
    if not isinstance(value, types[feature["type"]]):
        return "wrong_type"
    if feature["type"] == "category":
        return None if value in feature["categories"] else "unknown_category"
    low, high = feature.get("minimum"), feature.get("maximum")
    below, above = low is not None and value < low, high is not None and value > high
    return "out_of_range" if below or above else None
