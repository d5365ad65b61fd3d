"""Whoever waits for a store that hangs is one thread, and the circuit breaker ends even that."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from service.circuit_breaker import RETRY_SECONDS, CircuitBreaker
from service.feedback import Feedback, LabelledReceipt
from service.receipts import Receipts
from service.store_turn import STALL_SECONDS, StoreTurn
from service.used_receipts import STORE_SECONDS, SqliteUsedReceipts, UsedReceiptsError
from telemetry.lifecycle import Telemetry


class Clock:
    """Seconds that pass when a test says so."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def fail_after(turn: StoreTurn, clock: Clock, seconds: float) -> None:
    with pytest.raises(UsedReceiptsError, match="gone"), turn.take():
        clock.now += seconds
        raise UsedReceiptsError("gone")


def make_turn(clock: Clock) -> StoreTurn:
    return StoreTurn(CircuitBreaker(STORE_SECONDS, clock), clock)


def test_slow_failure_refuses_everybody_until_the_next_trial() -> None:
    turn = make_turn(clock := Clock())
    fail_after(turn, clock, STALL_SECONDS)
    with pytest.raises(UsedReceiptsError, match="a moment ago"), turn.take():
        raise AssertionError("took a turn")
    clock.now += RETRY_SECONDS
    with turn.take():
        pass
    with turn.take():
        pass


def test_failed_trial_keeps_it_open() -> None:
    turn = make_turn(clock := Clock())
    fail_after(turn, clock, STALL_SECONDS)
    clock.now += RETRY_SECONDS
    fail_after(turn, clock, STALL_SECONDS)
    with pytest.raises(UsedReceiptsError, match="a moment ago"), turn.take():
        raise AssertionError("took a turn")


def test_failure_at_once_lets_the_next_one_try() -> None:
    """A refused connection costs nobody any time: the store is asked as soon as it is back."""
    turn = make_turn(clock := Clock())
    fail_after(turn, clock, 0.0)
    with turn.take():
        pass


def test_nobody_queues_behind_a_call_that_has_stalled() -> None:
    turn, entered, end = StoreTurn(), threading.Event(), threading.Event()

    def hang() -> None:
        with turn.take():
            entered.set()
            end.wait(20)

    thread = threading.Thread(target=hang)
    thread.start()
    entered.wait(20)
    began = time.monotonic()
    with pytest.raises(UsedReceiptsError, match="not been answered"), turn.take():
        raise AssertionError("took a turn")
    assert time.monotonic() - began < 10 * STALL_SECONDS
    end.set()
    thread.join(20)


def test_turns_follow_each_other_while_the_store_answers() -> None:
    turn = StoreTurn()
    inside: list[int] = []

    def use(_: int) -> int:
        with turn.take():
            inside.append(1)
            count = len(inside)
            inside.pop()
            return count

    with ThreadPoolExecutor(8) as pool:
        assert set(pool.map(use, range(400))) == {1}


def test_rest_of_a_batch_is_unavailable_at_once(
    recorded: Telemetry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The store is asked once, however long the batch; what needs no store is told as always."""
    receipts = Receipts(["key"])
    asked: list[object] = []

    def fail(*arguments: object) -> bool:
        asked.append(arguments)
        raise UsedReceiptsError("gone")

    monkeypatch.setattr(SqliteUsedReceipts, "use", fail)
    used = SqliteUsedReceipts(tmp_path / "used")
    feedback = Feedback(receipts, used, recorded.recorder, "slot", {"1": "champion"}, 60)
    issued = [receipts.issue("1", "fraud", 0.6, "basic", "low") for _ in range(1000)]
    results = feedback.count_all([LabelledReceipt(one, "fraud") for one in [*issued, "x"]])
    assert results == ["unavailable"] * 1000 + ["forged"]
    assert len(asked) == 1


def test_batch_ends_before_a_slow_store_holds_its_thread_for_ever(
    recorded: Telemetry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    receipts = Receipts(["key"])
    asked: list[object] = []

    def take(*arguments: object) -> bool:
        asked.append(arguments)
        return True

    monkeypatch.setattr(SqliteUsedReceipts, "use", take)
    monkeypatch.setattr("service.feedback.BATCH_SECONDS", -1.0)
    used = SqliteUsedReceipts(tmp_path / "used")
    feedback = Feedback(receipts, used, recorded.recorder, "slot", {"1": "champion"}, 60)
    one = LabelledReceipt(receipts.issue("1", "fraud", 0.6, "basic", "low"), "fraud")
    assert (feedback.count_all([one, one]), asked) == (["unavailable"] * 2, [])
