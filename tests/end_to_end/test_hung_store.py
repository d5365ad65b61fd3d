"""A store of used receipts that hangs: labels are refused at once, scoring goes on, none is lost.

The Redis is a real one that SIGSTOP makes hang: it takes connections and commands, and answers when
it is woken. What it was sent meanwhile it carries out then.
"""

from __future__ import annotations

import os
import shutil
import signal
import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest
import requests

from service.circuit_breaker import CircuitBreaker
from service.feedback import Feedback, LabelledReceipt
from service.receipts import Receipts
from service.redis_used_receipts import RedisUsedReceipts
from service.store_turn import StoreTurn
from service.used_receipts import STORE_SECONDS, PendingOutcome, SqliteUsedReceipts, UsedReceipts
from telemetry.lifecycle import Telemetry
from tests.conftest import total
from tests.end_to_end.test_feedback import count_outcomes, fetch_receipts
from tests.lab.fixtures import StartHandler
from tests.lab.polling import until
from tests.lab.redis import Redis
from tests.lab.traffic import TRANSACTION

pytestmark = pytest.mark.stack

ROLES = {"1": "champion"}


@pytest.fixture
def redis(tmp_path: Path) -> Iterator[Redis]:
    """A real Redis."""
    program = shutil.which("redis-server")
    if program is None:
        pytest.skip("redis-server is not installed (.ci/run installs it)")
    with Redis(program, tmp_path / "redis") as running:
        yield running


@contextmanager
def paused(redis: Redis) -> Iterator[None]:
    """Stopped as by a debugger; woken at the end."""
    assert redis.process is not None
    os.kill(redis.process.pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(redis.process.pid, signal.SIGCONT)


def make_feedback(used: UsedReceipts, telemetry: Telemetry, slot: str = "slot") -> Feedback:
    """Its circuit breaker lets a trial through at once, so that a test need not wait for it."""
    clock = iter(range(0, 10**9, 1000))
    turn = StoreTurn(CircuitBreaker(STORE_SECONDS, lambda: float(next(clock))))
    return Feedback(Receipts(["key"]), used, telemetry.recorder, slot, ROLES, 3600, turn=turn)


def make_entry() -> LabelledReceipt:
    return LabelledReceipt(Receipts(["key"]).issue("1", "fraud", 0.6, "basic", "low"), "fraud")


def count(telemetry: Telemetry) -> float:
    assert telemetry.exposition is not None
    return total(telemetry.exposition.render("")[0].decode(), "outcomes_total")


def open_redis(redis: Redis, folder_id: str = "folder") -> RedisUsedReceipts:
    return RedisUsedReceipts(redis.url, "fraud-handler", folder_id)


def test_label_of_an_ambiguous_time_out_counts_exactly_once(
    redis: Redis, recorded: Telemetry
) -> None:
    """Redis carries the command out after the worker gave it up; the label is sent again."""
    feedback, entry = make_feedback(open_redis(redis), recorded), make_entry()
    assert feedback.count(make_entry()) == "counted"
    with paused(redis):
        assert feedback.count(entry) == "unavailable"
        assert count(recorded) == 1
    assert feedback.count(entry) in ("counted", "repeated")
    assert count(recorded) == 2
    assert feedback.count(entry) == "repeated"
    assert feedback.count(make_entry()) == "counted"
    assert count(recorded) == 3


def test_many_time_outs_in_a_row_lose_and_double_nothing(redis: Redis, recorded: Telemetry) -> None:
    feedback = make_feedback(open_redis(redis), recorded)
    entries = [make_entry() for _ in range(4)]
    with paused(redis):
        for entry in entries[:2]:
            assert feedback.count(entry) == "unavailable"
    results = [feedback.count(entry) for entry in entries * 2]
    assert set(results) <= {"counted", "repeated"}
    assert count(recorded) == len(entries)


def test_command_that_runs_after_its_slot_was_taken_over_is_refused(redis: Redis) -> None:
    """The late one of two: with the old token it stores nothing."""
    old, new = open_redis(redis), open_redis(redis)
    old.find_pending("slot", 0)
    new.find_pending("slot", 0)
    with pytest.raises(Exception, match="was taken over"):
        old.use("receipt", time.time() + 60, "slot", PendingOutcome(1, "{}"))
    assert new.use("receipt", time.time() + 60, "slot", PendingOutcome(1, "{}"))


def test_emptied_redis_costs_no_label(redis: Redis, recorded: Telemetry) -> None:
    used = open_redis(redis)
    feedback = make_feedback(used, recorded)
    assert feedback.count(make_entry()) == "counted"
    used._client.flushall()
    assert feedback.count(make_entry()) == "counted"
    assert count(recorded) == 2


def test_keys_have_the_services_name_and_all_of_them_expire(
    redis: Redis, recorded: Telemetry
) -> None:
    used = open_redis(redis)
    make_feedback(used, recorded).count(make_entry())
    keys: list[Any] = used._client.keys()
    assert len(keys) == 3
    assert all(key.startswith(b"fraud-handler:") for key in keys)
    assert all(used._client.ttl(key) > 0 for key in keys)


def test_receipt_that_an_earlier_version_stored_is_repeated(
    redis: Redis, recorded: Telemetry
) -> None:
    used, entry = open_redis(redis), make_entry()
    receipt, _ = Receipts(["key"]).read(entry.receipt)
    used._client.set(f"receipt:{receipt.id}", 1)
    assert make_feedback(used, recorded).count(entry) == "repeated"


def test_what_another_folder_of_counters_left_is_not_counted_again(
    redis: Redis, recorded: Telemetry
) -> None:
    """A new container with the same host name: the last outcome was counted by the old one."""
    make_feedback(open_redis(redis, "old"), recorded).count(make_entry())
    assert open_redis(redis, "new").find_pending("slot", 0) == []


@pytest.mark.parametrize("kind", ["black hole", "locked SQLite"])
def test_batch_of_a_thousand_costs_one_wait(
    kind: str, recorded: Telemetry, tmp_path: Path, black_hole: str
) -> None:
    with closing(sqlite3.connect(tmp_path / "used")) as locker:
        locker.execute("BEGIN EXCLUSIVE")
        used: UsedReceipts = SqliteUsedReceipts(tmp_path / "used")
        if kind == "black hole":
            used = RedisUsedReceipts(black_hole.replace("http", "redis"), "fraud-handler", "id")
        feedback = Feedback(Receipts(["key"]), used, recorded.recorder, "slot", ROLES, 3600)
        began = time.monotonic()
        assert set(feedback.count_all([make_entry() for _ in range(1000)])) == {"unavailable"}
        assert time.monotonic() - began < 3 * STORE_SECONDS
        began = time.monotonic()
        assert set(feedback.count_all([make_entry() for _ in range(1000)])) == {"unavailable"}
        assert time.monotonic() - began < STORE_SECONDS
    assert count(recorded) == 0


def test_predict_is_answered_while_labels_meet_a_hung_redis(
    redis: Redis, start_handler: StartHandler
) -> None:
    """One worker of four threads, twelve clients that send labels; and no label is lost."""
    service = start_handler(REDIS_URL=redis.url, WEB_CONCURRENCY="1")
    receipts = fetch_receipts(service, 200)
    stop = threading.Event()

    def send(receipt: str) -> str:
        body = {"feedback": [{"receipt": receipt, "label": "fraud"}] * 2}
        answer = requests.post(f"{service.url}/feedback", json=body, timeout=30)
        if answer.headers.get("Retry-After") and "error" in answer.json():
            # While the store hangs, whoever would wait too long for a thread is refused at once.
            return str(answer.json()["error"]["type"])
        return str(answer.json()["results"][0]["result"])

    def flood(own: list[str]) -> None:
        while not stop.is_set():
            for receipt in own:
                send(receipt)

    threads = [threading.Thread(target=flood, args=(receipts[n::12],)) for n in range(12)]
    with paused(redis):
        for thread in threads:
            thread.start()
        waits = [_time_predict(service.url) for _ in range(40)]
        stop.set()
        for thread in threads:
            thread.join(60)
    print(f"slowest /predict {max(waits):.3f} s of {len(waits)}")
    assert max(waits) < STORE_SECONDS
    until(lambda: "unavailable" not in {send(one) for one in receipts}, 60, "labels are taken")
    assert count_outcomes(service) == len(receipts)


def _time_predict(url: str) -> float:
    time.sleep(0.1)
    began = time.monotonic()
    assert requests.post(f"{url}/predict", json=TRANSACTION, timeout=30).status_code == 200
    return time.monotonic() - began
