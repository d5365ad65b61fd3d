"""Delayed labels: a receipt and its label become an outcome, counted exactly once."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Mapping
from threading import Lock
from typing import NamedTuple

import msgspec
from itsdangerous import BadData

from model.serving.cohorts import OLDEST_SECONDS, find_cohort
from model.serving.vocabulary import CLASS_NAMES
from service.receipts import Receipt, Receipts
from service.requests import read_list, read_object, read_text, read_word
from service.used_receipts import PendingOutcome, UsedReceipts, UsedReceiptsError
from telemetry.metrics import ROLES
from telemetry.recorder import Outcome, Recorder

# What a caller is told of each result but "counted".
MESSAGES = {
    "repeated": "this receipt has been used before; its outcome is counted already",
    "forged": "this is not a receipt of this service",
    "expired": "this receipt is too old",
    "future": "this receipt was issued in the future; clocks differ, send it again later",
    "foreign": "this receipt is of a model that is not served any more",
    "unavailable": "used receipts cannot be looked up; nothing was counted, send it again later",
}
# How far ahead the clock of the replica that issued a receipt may be.
CLOCK_SKEW_SECONDS = 60.0
# Results after which the same receipt may be sent again: nothing was counted.
RETRYABLE = ("unavailable", "future")
_BATCH = "feedback"
_FIELDS = ("receipt", "label")


class LabelledReceipt(NamedTuple):
    """One entry of feedback: a receipt, and the true class of its transaction."""

    receipt: str
    label: str


class Feedback:
    """Counts outcomes; `roles` names the models that are served and the role of each."""

    def __init__(
        self,
        receipts: Receipts,
        used: UsedReceipts,
        recorder: Recorder,
        slot: str,
        roles: Mapping[str, str],
        max_age_seconds: int,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._receipts = receipts
        self._used = used
        self._recorder = recorder
        self._slot = slot
        self._roles = roles
        self._max_age = max_age_seconds
        self._clock = clock
        # One outcome at a time in a worker: a number is stored and counted before the next.
        self._lock = Lock()
        self._recovered = False

    def recover(self) -> None:
        """Count what the slot's last holder left; a store that is away is asked again later."""
        with self._lock, contextlib.suppress(UsedReceiptsError):
            self._recover()

    def count(self, entry: LabelledReceipt) -> str:
        """Count one outcome; the result is one of FEEDBACK_RESULTS."""
        result = self._count(entry)
        self._recorder.record_feedback(result)
        return result

    def _count(self, entry: LabelledReceipt) -> str:
        try:
            receipt, issued = self._receipts.read(entry.receipt)
        except (BadData, TypeError, ValueError):
            return "forged"
        age = self._clock() - issued
        if age > self._max_age:
            return "expired"
        if age < -CLOCK_SKEW_SECONDS:
            return "future"
        role = self._roles.get(receipt.model_version)
        if role is None:
            return "foreign"
        outcome = Outcome(
            role=role,
            class_name=receipt.class_name,
            label=entry.label,
            user_type=receipt.user_type,
            value_band=receipt.value_band,
            probability=receipt.probability,
            delay=max(0.0, age),
            other_class_name=self._find_other_decision(receipt),
            cohort=find_cohort(issued) if age < OLDEST_SECONDS else None,
        )
        return self._count_once(receipt.id, issued + self._max_age, outcome)

    def _find_other_decision(self, receipt: Receipt) -> str | None:
        """What the other model decided, if both still have their roles."""
        shadow = receipt.shadow
        if shadow is None:
            return None
        roles = {self._roles[receipt.model_version], self._roles.get(shadow.model_version)}
        return shadow.class_name if roles == set(ROLES) else None

    def _count_once(self, receipt_id: str, expires: float, outcome: Outcome) -> str:
        content = msgspec.json.encode(outcome).decode()
        with self._lock:
            try:
                self._recover()
                pending = PendingOutcome(self._recorder.last_outcome_number() + 1, content)
                new = self._used.use(receipt_id, expires, self._slot, pending)
            except UsedReceiptsError:
                return "unavailable"
            if not new:
                return "repeated"
            self._recorder.record_outcome(outcome, pending.number)
        return "counted"

    def _recover(self) -> None:
        """Count what the slot's last holder stored and did not live to count."""
        if self._recovered:
            return
        for one in self._used.find_pending(self._slot, self._recorder.last_outcome_number()):
            outcome = msgspec.json.decode(one.content, type=Outcome)
            self._recorder.record_outcome(outcome, one.number)
        self._recovered = True


def is_batch(body: object) -> bool:
    """True for {"feedback": […]}."""
    return isinstance(body, dict) and _BATCH in body


def read_entry(body: object, place: str = "") -> LabelledReceipt:
    """{"receipt": …, "label": …}; an ApiError names what is wrong, at its `place` in a batch."""
    entry = read_object(body, _FIELDS, place)
    receipt = read_text(entry["receipt"], f"{place}receipt")
    return LabelledReceipt(receipt, read_word(entry["label"], f"{place}label", CLASS_NAMES))


def read_entries(body: object, most: int) -> list[LabelledReceipt]:
    """{"feedback": […]}: all entries are right, or none is taken."""
    rows = read_list(read_object(body, (_BATCH,))[_BATCH], _BATCH, most)
    return [read_entry(row, f"{_BATCH}[{number}].") for number, row in enumerate(rows)]
