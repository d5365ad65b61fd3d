"""Where Alertmanager's messages arrive: a webhook that keeps each with the moment it came."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread


@dataclass(frozen=True)
class Message:
    """One alert in one notification; `at` in seconds since 1970."""

    at: float
    alert: str
    severity: str
    firing: bool
    labels: tuple[tuple[str, str], ...]


@dataclass
class Inbox:
    """What has arrived so far, oldest first."""

    url: str = ""
    messages: list[Message] = field(default_factory=list)

    def take(self, body: bytes) -> None:
        """Keep every alert of a notification."""
        now = time.time()
        for alert in json.loads(body)["alerts"]:
            labels = alert["labels"]
            self.messages.append(
                Message(
                    now,
                    labels["alertname"],
                    labels.get("severity", ""),
                    alert["status"] == "firing",
                    tuple(sorted(labels.items())),
                )
            )

    def first(self, alert: str, *, firing: bool, after: float = 0) -> float | None:
        """When the first such message after the moment `after` came."""
        times = (m.at for m in self.messages if m.alert == alert and m.firing == firing)
        return next((at for at in times if at > after), None)

    def fired(self, start: float, end: float) -> set[str]:
        """Alerts that were told to be firing between the two moments."""
        return {m.alert for m in self.messages if m.firing and start <= m.at < end}


@contextmanager
def listening() -> Iterator[Inbox]:
    """An inbox on a free port of loopback."""
    inbox = Inbox()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            inbox.take(self.rfile.read(int(self.headers["Content-Length"])))
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            """Quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    inbox.url = f"http://127.0.0.1:{server.server_address[1]}/"
    Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield inbox
    finally:
        server.shutdown()
        server.server_close()
