"""The real handler under gunicorn, and a client that keeps account of what it was answered."""

from __future__ import annotations

import http.client
import json
import os
import random
import signal
import sys
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import psutil
import requests

from tests.lab.programs import ROOT, Program, answers, free_port, until

TRANSACTION = {
    "amount": 120.5,
    "age": 35,
    "account_balance": 2500.0,
    "transaction_frequency": 5,
    "location_risk": 0.2,
}


class Handler(Program):
    """gunicorn with the application, on a free port of loopback."""

    def __init__(self, folder: Path, model_dir: Path, **settings: str) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        own = {
            "PORT": str(self.port),
            "MODEL_DIR": str(model_dir),
            "STATE_DIR": str(folder / "state"),
            "LOG_LEVEL": "info",
            "PYTHONPATH": str(ROOT),
        }
        silent = {"OTEL_METRICS_EXPORTER": "none", "OTEL_TRACES_EXPORTER": "none"}
        if "OTEL_EXPORTER_OTLP_ENDPOINT" in settings:
            silent = {}
        super().__init__(
            [
                sys.executable, "-m", "gunicorn", "--chdir", str(ROOT),
                "-c", str(ROOT / "gunicorn.conf.py"), "handler:build()",
            ],
            folder / "log",
            own | silent | settings,
        )  # fmt: skip

    def start(self) -> Handler:
        """Returns when it answers."""
        self.launch()
        until(lambda: answers(f"{self.url}/health/ready"), 60, f"the handler answers: {self.log}")
        return self

    def workers(self) -> list[int]:
        """Process ids of the workers."""
        assert self.process is not None
        return [child.pid for child in psutil.Process(self.process.pid).children()]

    def kill_worker(self) -> None:
        """End one worker by SIGKILL, in the middle of whatever it does."""
        os.kill(self.workers()[0], signal.SIGKILL)

    def recycle_worker(self) -> None:
        """Let one worker finish what it does and be replaced, as after its last request."""
        os.kill(self.workers()[-1], signal.SIGTERM)

    def exposition(self) -> str:
        """The text of `/metrics`."""
        answer = requests.get(f"{self.url}/metrics", timeout=30)
        assert answer.status_code == 200
        return answer.text


@dataclass(frozen=True)
class Request:
    """A body for POST /predict and how the service counts it: an error type, or None if good."""

    body: bytes
    error: str | None


@dataclass
class Account:
    """What a client sent and what it was answered."""

    answered: Counter[int] = field(default_factory=Counter)
    classes: Counter[str] = field(default_factory=Counter)
    errors: Counter[str] = field(default_factory=Counter)
    unanswered: list[Request] = field(default_factory=list)

    @property
    def answers(self) -> int:
        return sum(self.answered.values())


def requests_of(good: int, faulty: int, seed: int) -> list[Request]:
    """`good` valid and `faulty` invalid requests of five kinds, well mixed."""
    chance = random.Random(seed)
    valid = [
        Request(json.dumps(TRANSACTION | {"amount": chance.uniform(1, 9000)}).encode(), None)
        for _ in range(good)
    ]
    kinds = [
        Request(b'{"amount":', "invalid_json"),
        Request(json.dumps({**TRANSACTION, "amount": "x"}).encode(), "wrong_type"),
        Request(json.dumps({**TRANSACTION, "age": 1000}).encode(), "out_of_range"),
        Request(json.dumps({**TRANSACTION, "color": 1}).encode(), "unknown_field"),
        Request(b"{}", "missing_field"),
    ]
    mixed = valid + [kinds[n % len(kinds)] for n in range(faulty)]
    chance.shuffle(mixed)
    return mixed


def send(port: int, batch: Sequence[Request], account: Account) -> None:
    """Each request on a connection of its own; one that gets no answer is put on the list."""
    for request in batch:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
        try:
            headers = {"Content-Type": "application/json"}
            connection.request("POST", "/predict", request.body, headers)
            answer = connection.getresponse()
            body = json.loads(answer.read())
        except (OSError, http.client.HTTPException):
            account.unanswered.append(request)
            continue
        finally:
            connection.close()
        account.answered[answer.status] += 1
        if answer.status == 200:
            account.classes[body["prediction"]] += 1
        else:
            account.errors[body["error"]["type"]] += 1


def send_from_threads(port: int, batch: Sequence[Request], threads: int, account: Account) -> None:
    """The batch in equal parts, sent at the same time."""
    parts = [batch[n::threads] for n in range(threads)]
    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(lambda part: send(port, part, account), parts))
