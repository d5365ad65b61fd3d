"""Where Alertmanager's notifications arrive: a webhook that keeps each with the moment it came."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from tests.lab.http_server import QuietHandler, serve


@dataclass(frozen=True)
class Message:
    """One alert in one notification; `at` in seconds since 1970."""

    at: float
    alert: str
    severity: str
    firing: bool
    labels: tuple[tuple[str, str], ...]
    annotations: tuple[tuple[str, str], ...] = ()


@dataclass
class Webhook:
    """What has arrived so far, oldest first."""

    url: str = ""
    messages: list[Message] = field(default_factory=list)

    def add(self, body: bytes) -> None:
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
                    tuple(sorted(alert["annotations"].items())),
                )
            )

    def first(self, alert: str, *, firing: bool, after: float = 0) -> float | None:
        """When the first such message after the moment `after` came."""
        times = (m.at for m in self.messages if m.alert == alert and m.firing == firing)
        return next((at for at in times if at > after), None)

    def fired(self, start: float, end: float) -> set[str]:
        """Alerts that were notified as firing between the two moments."""
        return {m.alert for m in self.messages if m.firing and start <= m.at < end}


@contextmanager
def webhook_receiver() -> Iterator[Webhook]:
    """A receiver on a free port of loopback."""
    receiver = Webhook()

    class Handler(QuietHandler):
        def do_POST(self) -> None:
            receiver.add(self.body())
            self.answer(200)

    with serve(Handler) as server:
        receiver.url = f"{server.url}/"
        yield receiver
