"""Outcomes are counted exactly once over workers and replicas, while a worker is killed."""

from __future__ import annotations

import itertools
import os
import random
import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests

from tests.conftest import total
from tests.lab.fixtures import StartHandler
from tests.lab.handler import Handler
from tests.lab.polling import until
from tests.lab.traffic import TRANSACTION

pytestmark = pytest.mark.stack

RECEIPTS = int(os.environ.get("FEEDBACK_RECEIPTS", "2000"))
_BATCH = 20


def fetch_receipts(service: Handler, count: int) -> list[str]:
    """That many receipts, from batches of a thousand predictions."""
    receipts: list[str] = []
    while len(receipts) < count:
        rows = [TRANSACTION] * min(1000, count - len(receipts))
        answer = requests.post(f"{service.url}/predict", json={"transactions": rows}, timeout=30)
        receipts += [one["receipt"] for one in answer.json()["predictions"]]
    return receipts


def send_labels(url: str, receipts: list[str]) -> list[str]:
    """The results of one batch; what a killed worker did not answer is sent again."""
    entries = [{"receipt": receipt, "label": "fraud"} for receipt in receipts]
    for _ in range(20):
        try:
            answer = requests.post(f"{url}/feedback", json={"feedback": entries}, timeout=30)
        except requests.RequestException:
            continue
        return [one["result"] for one in answer.json()["results"]]
    raise AssertionError("twenty tries without an answer")


def send_labels_twice(
    urls: list[str], receipts: list[str], killing: threading.Timer
) -> Counter[str]:
    """Each receipt twice, mixed, from eight threads, taking turns among the addresses."""
    mixed = receipts * 2
    random.Random(5).shuffle(mixed)
    batches = [mixed[start : start + _BATCH] for start in range(0, len(mixed), _BATCH)]
    killing.start()
    with ThreadPoolExecutor(8) as pool:
        answers = pool.map(send_labels, itertools.cycle(urls), batches)
        results = Counter(result for answer in answers for result in answer)
    killing.join()
    return results


def count_outcomes(*services: Handler) -> float:
    return sum(total(service.exposition(), "outcomes_total") for service in services)


def test_each_receipt_counts_once_over_four_workers_of_which_one_is_killed(
    start_handler: StartHandler,
) -> None:
    service = start_handler(WEB_CONCURRENCY="4")
    receipts = fetch_receipts(service, RECEIPTS)
    results = send_labels_twice([service.url], receipts, threading.Timer(0.5, service.kill_worker))
    print(dict(results))
    assert set(results) <= {"counted", "repeated"}
    # The slot's next holder counts what the killed worker wrote down and did not count.
    until(lambda: count_outcomes(service) == RECEIPTS, 20, "every receipt counts once")


def test_tampered_receipts_never_count(start_handler: StartHandler) -> None:
    service = start_handler()
    receipts = fetch_receipts(service, 1000)
    chance = random.Random(1)

    def tamper(receipt: str) -> str:
        place = chance.randrange(len(receipt) - 1)
        other = "A" if receipt[place] != "A" else "B"
        return receipt[:place] + other + receipt[place + 1 :]

    results = Counter(send_labels(service.url, [tamper(receipt) for receipt in receipts]))
    assert results == {"forged": 1000}
    assert count_outcomes(service) == 0


def test_each_receipt_counts_once_over_two_replicas_with_redis(
    redis_url: str, start_handler: StartHandler
) -> None:
    shared = {"REDIS_URL": redis_url, "RECEIPT_KEYS": "one key for both", "WEB_CONCURRENCY": "2"}
    services = [
        start_handler(name=name, OTEL_RESOURCE_ATTRIBUTES=f"service.instance.id={name}", **shared)
        for name in ("a", "b")
    ]
    receipts = fetch_receipts(services[0], RECEIPTS)
    urls = [service.url for service in services]
    results = send_labels_twice(urls, receipts, threading.Timer(0.5, services[1].kill_worker))
    assert set(results) <= {"counted", "repeated"}
    until(lambda: count_outcomes(*services) == RECEIPTS, 20, "every receipt counts once")


def test_dead_redis_is_an_error_and_nothing_counts(start_handler: StartHandler) -> None:
    service = start_handler(REDIS_URL="redis://127.0.0.1:1/0")
    [receipt] = fetch_receipts(service, 1)
    body = {"receipt": receipt, "label": "fraud"}
    answer = requests.post(f"{service.url}/feedback", json=body, timeout=30)
    assert (answer.status_code, answer.json()["error"]["type"]) == (503, "unavailable")
    assert count_outcomes(service) == 0
