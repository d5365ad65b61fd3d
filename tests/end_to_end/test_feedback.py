"""Outcomes are counted exactly once over workers and replicas, while a worker is killed."""

from __future__ import annotations

import os
import random
import shutil
import subprocess
import threading
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import requests

from tests.conftest import total
from tests.lab.programs import free_port, until
from tests.lab.service import TRANSACTION, Handler

pytestmark = pytest.mark.stack

RECEIPTS = int(os.environ.get("FEEDBACK_RECEIPTS", "2000"))
_BATCH = 20


def receipts_of(service: Handler, count: int) -> list[str]:
    """That many receipts, from batches of a thousand predictions."""
    receipts: list[str] = []
    while len(receipts) < count:
        rows = [TRANSACTION] * min(1000, count - len(receipts))
        answer = requests.post(f"{service.url}/predict", json={"transactions": rows}, timeout=30)
        receipts += [one["receipt"] for one in answer.json()["predictions"]]
    return receipts


def tell(url: str, receipts: list[str]) -> list[str]:
    """The results of one batch; what a killed worker did not answer is sent again."""
    entries = [{"receipt": receipt, "label": "fraud"} for receipt in receipts]
    for _ in range(20):
        try:
            answer = requests.post(f"{url}/feedback", json={"feedback": entries}, timeout=30)
        except requests.RequestException:
            continue
        return [one["result"] for one in answer.json()["results"]]
    raise AssertionError("twenty tries without an answer")


def tell_twice(urls: list[str], receipts: list[str], killing: threading.Timer) -> Counter[str]:
    """Each receipt twice, mixed, from eight threads, taking turns among the addresses."""
    mixed = receipts * 2
    random.Random(5).shuffle(mixed)
    batches = [mixed[start : start + _BATCH] for start in range(0, len(mixed), _BATCH)]
    killing.start()
    with ThreadPoolExecutor(8) as pool:
        answers = pool.map(lambda n: tell(urls[n % len(urls)], batches[n]), range(len(batches)))
        results = Counter(result for answer in answers for result in answer)
    killing.join()
    return results


def outcomes(*services: Handler) -> float:
    return sum(total(service.exposition(), "outcomes_total") for service in services)


def test_each_receipt_counts_once_over_four_workers_of_which_one_is_killed(handler):
    service = handler(WEB_CONCURRENCY="4")
    receipts = receipts_of(service, RECEIPTS)
    results = tell_twice([service.url], receipts, threading.Timer(0.5, service.kill_worker))
    print(dict(results))
    assert set(results) <= {"counted", "repeated"}
    # The slot's next holder counts what the killed worker wrote down and did not count.
    until(lambda: outcomes(service) == RECEIPTS, 20, "every receipt counts once")


def test_tampered_receipts_never_count(handler):
    service = handler()
    receipts = receipts_of(service, 1000)
    chance = random.Random(1)

    def tampered(receipt: str) -> str:
        place = chance.randrange(len(receipt) - 1)
        other = "A" if receipt[place] != "A" else "B"
        return receipt[:place] + other + receipt[place + 1 :]

    results = Counter(tell(service.url, [tampered(receipt) for receipt in receipts]))
    assert results == {"forged": 1000}
    assert outcomes(service) == 0


@pytest.fixture
def redis_url(tmp_path: Path) -> Iterator[str]:
    """A real Redis on a free port, ended after the test."""
    program = shutil.which("redis-server")
    if program is None:
        pytest.skip("redis-server is not installed (.ci/run installs it)")
    port = free_port()
    process = subprocess.Popen(
        [program, "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir", str(tmp_path)],
        stdout=subprocess.DEVNULL,
    )
    try:
        yield f"redis://127.0.0.1:{port}/0"
    finally:
        process.terminate()
        process.wait(10)


def test_each_receipt_counts_once_over_two_replicas_with_redis(
    redis_url, model_dir, tmp_path, started
):
    shared = {"REDIS_URL": redis_url, "RECEIPT_KEYS": "one key for both", "WEB_CONCURRENCY": "2"}
    services = [
        Handler(
            tmp_path / name,
            model_dir,
            OTEL_RESOURCE_ATTRIBUTES=f"service.instance.id={name}",
            **shared,
        )
        for name in ("a", "b")
    ]
    for service in services:
        started.append(service)
        service.start()
    receipts = receipts_of(services[0], RECEIPTS)
    urls = [service.url for service in services]
    results = tell_twice(urls, receipts, threading.Timer(0.5, services[1].kill_worker))
    assert set(results) <= {"counted", "repeated"}
    until(lambda: outcomes(*services) == RECEIPTS, 20, "every receipt counts once")


def test_dead_redis_is_told_and_nothing_counts(handler):
    service = handler(REDIS_URL="redis://127.0.0.1:1/0")
    [receipt] = receipts_of(service, 1)
    body = {"receipt": receipt, "label": "fraud"}
    answer = requests.post(f"{service.url}/feedback", json=body, timeout=30)
    assert (answer.status_code, answer.json()["error"]["type"]) == (503, "unavailable")
    assert outcomes(service) == 0
