"""Delayed labels: a receipt and its label become an outcome, counted exactly once."""

from __future__ import annotations

import contextlib
import logging
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import msgspec
from itsdangerous import BadData

from model.serving.cohorts import OLDEST_SECONDS, find_cohort
from model.serving.version_slots import find_version_slot
from model.serving.vocabulary import CLASS_NAMES
from service.receipts import Receipt, Receipts
from service.requests import read_list, read_object, read_text, read_word
from service.store_turn import StoreTurn
from service.used_receipts import (
    LostSlotError,
    PendingOutcome,
    UsedReceipts,
    UsedReceiptsError,
)
from telemetry.metrics import CHAMPION, ROLES
from telemetry.outcome_counts import Outcome
from telemetry.recorder import Recorder

_log = logging.getLogger("handler")

# What a caller is told of each result but "counted".
MESSAGES = {
    "repeated": "this receipt has been used before; its outcome is counted already",
    "forged": "this is not a receipt of this service",
    "expired": "this receipt is too old",
    "future": "this receipt was issued in the future; clocks differ, send it again later",
    "foreign": "this receipt is of a model whose labels are not counted any more",
    "unavailable": "used receipts cannot be looked up; nothing was counted, send it again later",
}
# How far ahead the clock of the replica that issued a receipt may be.
CLOCK_SKEW_SECONDS = 60.0
# Results after which the same receipt may be sent again: nothing was counted.
RETRYABLE = ("unavailable", "future")
# After so long the rest of a batch is 'unavailable': a slow store must not hold a thread for ever.
BATCH_SECONDS = 10.0
_BATCH = "feedback"
_FIELDS = ("receipt", "label")


class LabelledReceipt(NamedTuple):
    """One entry of feedback: a receipt, and the true class of its transaction."""

    receipt: str
    label: str


@dataclass(frozen=True)
class _NewOutcome:
    """What is counted unless the receipt was used before; `expires` in seconds since 1970."""

    receipt_id: str
    expires: float
    outcome: Outcome


class Feedback:
    """Counts outcomes; `roles` names the models that are served and the role of each, `earlier` the
    champions before, whose labels come late: they are still the champion's, of another version."""

    def __init__(
        self,
        receipts: Receipts,
        used: UsedReceipts,
        recorder: Recorder,
        slot: str,
        roles: Mapping[str, str],
        max_age_seconds: int,
        clock: Callable[[], float] = time.time,
        turn: StoreTurn | None = None,
        earlier: Collection[str] = (),
    ) -> None:
        self._receipts = receipts
        self._used = used
        self._recorder = recorder
        self._slot = slot
        self._roles = roles
        self._all_roles = dict.fromkeys(earlier, CHAMPION) | dict(roles)
        self._max_age = max_age_seconds
        self._clock = clock
        # One outcome at a time in a worker: a number is stored and counted before the next.
        self._turn = turn or StoreTurn()
        self._recovered = False
        self._failure = ""

    def recover(self) -> None:
        """Count what the slot's last holder left; a store that is away is asked again later."""
        with contextlib.suppress(UsedReceiptsError), self._turn.take():
            self._recover()

    def count(self, entry: LabelledReceipt) -> str:
        """Count one outcome; the result is one of FEEDBACK_RESULTS."""
        return self.count_all([entry])[0]

    def count_all(self, entries: Sequence[LabelledReceipt]) -> list[str]:
        """The result of each; once the store has failed the rest is 'unavailable' at once."""
        deadline = time.monotonic() + BATCH_SECONDS
        results = []
        for entry in entries:
            result = self._read(entry)
            if isinstance(result, _NewOutcome):
                gone = "unavailable" in results or time.monotonic() > deadline
                result = "unavailable" if gone else self._count_once(result)
            self._recorder.record_feedback(result)
            results.append(result)
        return results

    def _read(self, entry: LabelledReceipt) -> _NewOutcome | str:
        """What is to be counted, or why nothing is."""
        try:
            receipt, issued = self._receipts.read(entry.receipt)
        except (BadData, TypeError, ValueError):
            return "forged"
        age = self._clock() - issued
        if age > self._max_age:
            return "expired"
        if age < -CLOCK_SKEW_SECONDS:
            return "future"
        role = self._all_roles.get(receipt.model_version)
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
            version_slot=find_version_slot(receipt.model_version),
        )
        return _NewOutcome(receipt.id, issued + self._max_age, outcome)

    def _find_other_decision(self, receipt: Receipt) -> str | None:
        """What the other model decided, if both are still served."""
        shadow = receipt.shadow
        if shadow is None:
            return None
        roles = {self._roles.get(each.model_version) for each in (receipt, shadow)}
        return shadow.class_name if roles == set(ROLES) else None

    def _count_once(self, new: _NewOutcome) -> str:
        try:
            with self._turn.take():
                try:
                    result = self._store_and_count(new)
                except LostSlotError:
                    # The store was emptied, or has forgotten a worker that was long idle.
                    result = self._store_and_count(new)
        except UsedReceiptsError as error:
            self._log_failure(str(error))
            return "unavailable"
        self._failure = ""
        return result

    def _store_and_count(self, new: _NewOutcome) -> str:
        self._recover()
        content = msgspec.json.encode(new.outcome).decode()
        pending = PendingOutcome(self._recorder.last_outcome_number() + 1, content)
        try:
            fresh = self._used.use(new.receipt_id, new.expires, self._slot, pending)
        except UsedReceiptsError:
            # It may have been stored all the same: `_recover` looks before the next one.
            self._recovered = False
            raise
        if not fresh:
            return "repeated"
        self._recorder.record_outcome(new.outcome, pending.number)
        return "counted"

    def _log_failure(self, reason: str) -> None:
        """Once for each reason: clients send their labels again and again."""
        if reason != self._failure:
            self._failure = reason
            _log.warning("labels cannot be counted, they are answered 503: %s", reason)

    def _recover(self) -> None:
        """Count what was stored for this slot and not counted, by its last holder or this one."""
        if self._recovered:
            return
        for one in self._used.find_pending(self._slot, self._recorder.last_outcome_number()):
            try:
                outcome = msgspec.json.decode(one.content, type=Outcome)
                self._recorder.record_outcome(outcome, one.number)
            except (msgspec.MsgspecError, KeyError) as error:
                # Of a newer program, or damaged: it must not keep this one from starting.
                _log.error("a stored outcome cannot be counted: %s", type(error).__name__)
                self._recorder.skip_outcome(one.number)
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
