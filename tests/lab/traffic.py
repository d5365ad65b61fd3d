"""Requests to `/predict`, good and faulty, and a client that counts how they were answered."""

from __future__ import annotations

import http.client
import json
import random
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

TRANSACTION: dict[str, float] = {
    "amount": 120.5,
    "age": 35,
    "account_balance": 2500.0,
    "transaction_frequency": 5,
    "location_risk": 0.2,
}
"""A valid transaction of the default model."""


@dataclass(frozen=True)
class Request:
    """A body for POST /predict and how the service counts it: an error type, or None if good."""

    body: bytes
    error: str | None


@dataclass
class Responses:
    """How many answers a client got by status, predicted class and error type; and the requests
    that got none."""

    statuses: Counter[int] = field(default_factory=Counter)
    classes: Counter[str] = field(default_factory=Counter)
    errors: Counter[str] = field(default_factory=Counter)
    unanswered: list[Request] = field(default_factory=list)

    @property
    def answered(self) -> int:
        """Answers of any status."""
        return sum(self.statuses.values())


def make_requests(good: int, faulty: int, seed: int) -> list[Request]:
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


def send(port: int, batch: Sequence[Request], responses: Responses, threads: int = 1) -> None:
    """Each request on a connection of its own, from so many threads at the same time."""
    parts = [batch[n::threads] for n in range(threads)]
    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(lambda part: _send_one_by_one(port, part, responses), parts))


def _send_one_by_one(port: int, batch: Sequence[Request], responses: Responses) -> None:
    for request in batch:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
        try:
            headers = {"Content-Type": "application/json"}
            connection.request("POST", "/predict", request.body, headers)
            answer = connection.getresponse()
            body = json.loads(answer.read())
        except (OSError, http.client.HTTPException):
            responses.unanswered.append(request)
            continue
        finally:
            connection.close()
        responses.statuses[answer.status] += 1
        if answer.status == 200:
            responses.classes[body["prediction"]] += 1
        else:
            responses.errors[body["error"]["type"]] += 1
