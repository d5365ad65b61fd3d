"""What a worker does between SIGTERM and its end, and what becomes of it without its master."""

from __future__ import annotations

import http.client
import json
import os
import signal
import threading
from collections import Counter
from collections.abc import Callable

import psutil
import pytest
import requests

from tests.conftest import total
from tests.lab.fixtures import StartHandler
from tests.lab.handler import Handler
from tests.lab.polling import until
from tests.lab.traffic import TRANSACTION

pytestmark = pytest.mark.stack
JSON = {"Content-Type": "application/json"}


def predict_slowly(service: Handler, answers: list[int]) -> threading.Thread:
    """A prediction that takes two seconds, begun."""

    def predict() -> None:
        headers = {"X-Fault": "delay=2000ms"}
        url = f"{service.url}/predict"
        answers.append(
            requests.post(url, json=TRANSACTION, headers=headers, timeout=30).status_code
        )

    thread = threading.Thread(target=predict)
    thread.start()
    until(lambda: total(service.exposition(), "queue_size") >= 1, 30, "it is in the service")
    return thread


@pytest.mark.parametrize("stop", [Handler.recycle_worker, Handler.stop_master], ids=["one", "all"])
def test_stopping_worker_finishes_what_it_has(
    start_handler: StartHandler, stop: Callable[[Handler], None]
) -> None:
    service = start_handler(WEB_CONCURRENCY="1", FAULT_HEADERS="on")
    answers: list[int] = []
    thread = predict_slowly(service, answers)
    stop(service)
    thread.join(30)
    assert answers == [200]
    assert "SIGABRT" not in service.output()


def test_half_sent_request_does_not_keep_a_worker_from_its_end(
    start_handler: StartHandler,
) -> None:
    service = start_handler(WEB_CONCURRENCY="1")
    with service.half_a_request(), service.half_a_request():
        [worker] = service.workers()
        service.recycle_worker()
        until(lambda: worker not in service.workers(), 20, "it is replaced")
        until(service.is_ready, 30, "the next one answers")


def test_worker_is_replaced_after_its_requests(start_handler: StartHandler) -> None:
    """None is lost: the counts are those of the answers."""
    service = start_handler(WEB_CONCURRENCY="1", WORKER_MAX_REQUESTS="20")
    [first] = service.workers()
    statuses = []
    with requests.Session() as session:
        for _ in range(60):
            statuses.append(session.post(f"{service.url}/predict", json=TRANSACTION, timeout=30))
    assert {one.status_code for one in statuses} == {200}
    until(lambda: first not in service.workers(), 30, "it is replaced")
    until(service.is_ready, 30, "the next one answers")
    assert total(service.exposition(), "predictions_total") == 60


def test_successor_is_there_before_a_worker_ends(start_handler: StartHandler) -> None:
    """With one worker nobody else would answer meanwhile."""
    service = start_handler(WEB_CONCURRENCY="1", WORKER_MAX_REQUESTS="20")
    [first] = service.workers()
    for _ in range(30):
        answer = requests.post(f"{service.url}/predict", json=TRANSACTION, timeout=30)
        assert answer.status_code == 200
    until(lambda: first in service.workers() and len(service.workers()) == 2, 60, "both are there")
    until(lambda: first not in service.workers(), 60, "the first ends")
    assert service.is_ready()


def test_client_that_keeps_its_connection_loses_no_request(start_handler: StartHandler) -> None:
    """Each worker that is replaced says `Connection: close` first."""
    service = start_handler(WEB_CONCURRENCY="2", WORKER_MAX_REQUESTS="50")
    first = set(service.workers())
    client = http.client.HTTPConnection("127.0.0.1", service.port, timeout=30)
    statuses, parted = Counter[int](), 0
    while not first.isdisjoint(service.workers()) or parted < 3:
        client.request("POST", "/predict", json.dumps(TRANSACTION), JSON)
        answer = client.getresponse()
        answer.read()
        statuses[answer.status] += 1
        parted += answer.getheader("Connection") == "close"
        assert statuses.total() < 50_000, "the workers are not replaced"
    client.close()
    assert set(statuses) == {200}


def test_workers_end_with_their_master(start_handler: StartHandler) -> None:
    service = start_handler(WEB_CONCURRENCY="2")
    workers = service.workers()
    assert service.process is not None
    os.kill(service.process.pid, signal.SIGKILL)
    until(lambda: not any(psutil.pid_exists(one) for one in workers), 30, "they end")


def test_blocked_event_loop_is_ended(start_handler: StartHandler) -> None:
    """A worker that is stopped in its tracks gives no heartbeat."""
    service = start_handler(WEB_CONCURRENCY="1")
    [worker] = service.workers()
    os.kill(worker, signal.SIGSTOP)
    until(lambda: worker not in service.workers(), 90, "gunicorn ends it", every=1)
    until(service.is_ready, 60, "the next one answers")
    assert "WORKER TIMEOUT" in service.output()
