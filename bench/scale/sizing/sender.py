"""Sends the pushes of many made-up workers from a process of its own, evenly spread."""

from __future__ import annotations

import http.client
import multiprocessing
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from multiprocessing.synchronize import Event
from typing import Any
from urllib.parse import urlsplit

from bench.scale.sizing.push_template import PushTemplate


@dataclass(frozen=True)
class Plan:
    """Who sends what where: `interval` seconds lie between two pushes of a worker; 0 sends each
    push as soon as the one before is answered."""

    endpoint: str
    template: PushTemplate
    instances: tuple[str, ...]
    interval: float


@dataclass
class Sent:
    """What was sent: pushes taken of each worker, answers that were no 200, processor seconds."""

    taken: dict[str, int]
    refused: int = 0
    latest: float = 0.0
    """Seconds that a push left after it was due, at most."""
    cpu_seconds: float = 0.0
    seconds: float = 0.0
    failures: list[str] = field(default_factory=list)

    @property
    def pushes(self) -> int:
        """All that were taken."""
        return sum(self.taken.values())


def name_instances(replicas: int, workers: int) -> tuple[str, ...]:
    """As the handler names its workers: the replica's name and the slot."""
    return tuple(f"replica-{one}-{slot}" for one in range(replicas) for slot in range(workers))


class Sender:
    """A running sender."""

    def __init__(self, plan: Plan) -> None:
        self._stop = multiprocessing.Event()
        self._result, given = multiprocessing.Pipe(duplex=False)
        # The template is inherited by the fork: protobuf messages cannot be pickled.
        self._process = multiprocessing.get_context("fork").Process(
            target=_run, args=(plan, self._stop, given), daemon=True
        )
        self._process.start()

    def stop(self) -> Sent:
        """Ends it after the push that is under way."""
        self._stop.set()
        if not self._result.poll(60):
            raise RuntimeError("the sender did not end within 60 s")
        sent: Sent = self._result.recv()
        self._process.join(10)
        return sent

    def kill(self) -> None:
        """Ends it at once."""
        self._process.kill()
        self._process.join()


@contextmanager
def sending(plan: Plan) -> Iterator[Sender]:
    """A sender that is gone at the end of the block."""
    sender = Sender(plan)
    try:
        yield sender
    finally:
        sender.kill()


def _run(plan: Plan, stop: Event, result: Any) -> None:
    sent = Sent(dict.fromkeys(plan.instances, 0))
    address = urlsplit(plan.endpoint)
    # A connection each, as so many handlers have.
    connections = [
        http.client.HTTPConnection(address.hostname or "", address.port, timeout=30)
        for _ in plan.instances
    ]
    began, cpu = time.monotonic(), time.process_time()
    number = 0
    while not stop.is_set():
        index = number % len(plan.instances)
        due = began + plan.interval * number / len(plan.instances)
        if stop.wait(max(0.0, due - time.monotonic())):
            break
        if plan.interval:
            sent.latest = max(sent.latest, time.monotonic() - due)
        _push(plan, connections[index], plan.instances[index], sent)
        number += 1
    sent.cpu_seconds, sent.seconds = time.process_time() - cpu, time.monotonic() - began
    result.send(sent)


def _push(plan: Plan, connection: http.client.HTTPConnection, instance: str, sent: Sent) -> None:
    """Uncompressed, as the handler sends unless OTEL_EXPORTER_OTLP_COMPRESSION is set."""
    body = plan.template.encode(instance, sent.taken[instance], time.time())
    try:
        headers = {"Content-Type": "application/x-protobuf"}
        connection.request("POST", "/v1/metrics", body, headers)
        answer = connection.getresponse()
        answer.read()
        failure = "" if answer.status == 200 else f"HTTP {answer.status}"
    except (OSError, http.client.HTTPException) as error:
        connection.close()
        failure = type(error).__name__
    if failure:
        sent.refused += 1
        sent.failures = [*sent.failures, failure][-5:]
    else:
        sent.taken[instance] += 1
