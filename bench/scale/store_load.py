"""A client that predicts and labels at a steady rate, and keeps account of what was answered."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field

import requests

from tests.lab.traffic import TRANSACTION

EVERY = 0.1  # seconds between two predictions


@dataclass
class Client:
    """Runs from `start` to `stop`; every second prediction is labelled at once."""

    url: str
    predicted: int = 0
    labelled: int = 0
    unanswered: int = 0
    """Requests that got no answer or a refusal: whether they were counted is not known."""
    _go: threading.Event = field(default_factory=threading.Event)
    _idle: threading.Event = field(default_factory=threading.Event)
    _ended: threading.Event = field(default_factory=threading.Event)

    def start(self) -> None:
        """In a thread of its own."""
        self._go.set()
        threading.Thread(target=self._send, daemon=True).start()

    def pause(self) -> None:
        """Returns when nothing is under way."""
        self._go.clear()
        self._idle.wait(10)

    def resume(self) -> None:
        """Goes on."""
        self._go.set()

    def stop(self) -> None:
        """Returns when nothing is under way; for good."""
        self._ended.set()
        self.pause()

    def _send(self) -> None:
        session = requests.Session()
        number = 0
        while not self._ended.is_set():
            if not self._go.is_set():
                self._idle.set()
                self._go.wait(1)
                continue
            self._idle.clear()
            number += 1
            self._predict(session, number)
            time.sleep(EVERY)
        self._idle.set()

    def _predict(self, session: requests.Session, number: int) -> None:
        body = TRANSACTION | {"amount": 10.0 + 37 * number % 9000}
        scored = self._post(session, "/predict", body)
        if scored is None:
            return
        self.predicted += 1
        if number % 2:
            label = "fraud" if number % 7 == 0 else "legitimate"
            told = self._post(session, "/feedback", {"receipt": scored["receipt"], "label": label})
            self.labelled += told is not None

    def _post(
        self, session: requests.Session, path: str, body: Mapping[str, float | str]
    ) -> dict[str, str] | None:
        try:
            answer = session.post(self.url + path, json=dict(body), timeout=5)
        except requests.RequestException:
            self.unanswered += 1
            return None
        if answer.status_code != 200:
            self.unanswered += 1
            return None
        found: dict[str, str] = answer.json()
        return found
