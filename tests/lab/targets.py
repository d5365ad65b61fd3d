"""Targets of the Collector that misbehave on demand, and one that only remembers spans."""

from __future__ import annotations

import gzip
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import requests
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from tests.lab.programs import free_port


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that hangs up is what these tests are about."""


class _Quiet(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, format: str, *args: Any) -> None:
        pass

    def answer(self, status: int, body: bytes = b"") -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def body(self) -> bytes:
        return self.rfile.read(int(self.headers["Content-Length"]))


class FaultyTarget:
    """Stands in front of a real target. `mode` is one of

    - "pass": hands on and answers as the target does;
    - "hang": takes the request and never answers;
    - a status, such as "503": answers with it;
    and `refuse()`/`accept()` close and open the port itself.
    """

    def __init__(self, target: str) -> None:
        self.target = target
        self.mode = "pass"
        self.seen: Counter[str] = Counter()
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self._server: _Server | None = None
        self._stopping = threading.Event()

    def accept(self) -> None:
        """Listens (again)."""
        if self._server is None:
            self._stopping.clear()
            self._server = _Server(("127.0.0.1", self.port), self._handler())
            threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

    def refuse(self) -> None:
        """Closes the port: connections are refused, and open ones are cut."""
        if self._server is not None:
            self._stopping.set()
            self._server.shutdown()
            self._server.server_close()
            self._server = None

    def _handler(self) -> type[_Quiet]:
        target = self

        class Handler(_Quiet):
            def do_POST(self) -> None:
                body = self.body()
                if target._stopping.is_set():
                    self.close_connection = True
                    return
                target.seen[target.mode] += 1
                if target.mode == "hang":
                    target._stopping.wait(60)
                    self.close_connection = True
                elif target.mode == "pass":
                    self.answer(*target._hand_on(self.path, dict(self.headers), body))
                else:
                    self.answer(int(target.mode))

        return Handler

    def _hand_on(self, path: str, headers: dict[str, str], body: bytes) -> tuple[int, bytes]:
        kept = {name: value for name, value in headers.items() if name.lower() != "host"}
        answer = requests.post(self.target + path, data=body, headers=kept, timeout=10)
        return answer.status_code, answer.content


@contextmanager
def faulty_target(target: str) -> Iterator[FaultyTarget]:
    """A faulty target that listens, and is closed at the end."""
    made = FaultyTarget(target)
    made.accept()
    try:
        yield made
    finally:
        made.refuse()


class SpanSink:
    """An OTLP/HTTP target that remembers every span."""

    def __init__(self) -> None:
        self.spans: list[Span] = []
        self.resources: list[dict[str, str]] = []
        self._server = _Server(("127.0.0.1", 0), self._handler())
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def _handler(self) -> type[_Quiet]:
        sink = self

        class Handler(_Quiet):
            def do_POST(self) -> None:
                body = self.body()
                if self.headers.get("Content-Encoding") == "gzip":
                    body = gzip.decompress(body)
                sink._remember(ExportTraceServiceRequest.FromString(body))
                self.answer(200)

        return Handler

    def _remember(self, request: ExportTraceServiceRequest) -> None:
        for per_resource in request.resource_spans:
            attributes = per_resource.resource.attributes
            self.resources.append({each.key: each.value.string_value for each in attributes})
            for per_scope in per_resource.scope_spans:
                self.spans.extend(per_scope.spans)

    def traces(self) -> set[str]:
        """The ids of the traces that arrived."""
        return {span.trace_id.hex() for span in self.spans}

    def settled(self, quiet_seconds: float, at_most: float) -> None:
        """Returns when nothing has arrived for a while."""
        deadline, count, since = time.monotonic() + at_most, -1, time.monotonic()
        while time.monotonic() < deadline and time.monotonic() - since < quiet_seconds:
            if len(self.spans) != count:
                count, since = len(self.spans), time.monotonic()
            time.sleep(0.1)

    @contextmanager
    def listening(self) -> Iterator[SpanSink]:
        """Takes spans until the end of the block."""
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()
        try:
            yield self
        finally:
            self._server.shutdown()
            self._server.server_close()
