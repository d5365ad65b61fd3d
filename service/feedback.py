"""Labels that come late: a receipt and the truth become an outcome, counted exactly once."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Mapping
from threading import Lock

import msgspec
from itsdangerous import BadData, SignatureExpired

from model.serving.vocabulary import CLASS_NAMES
from service.errors import ApiError
from service.receipts import Receipt, Receipts
from service.used_receipts import Ledger, LedgerError, Note
from telemetry.recorder import Outcome, Recorder

# What a caller is told of each result but "counted".
SENTENCES = {
    "repeated": "this receipt has been used before; its outcome is counted already",
    "forged": "this is not a receipt of this service",
    "expired": "this receipt is too old",
    "foreign": "this receipt is of a model that is not served any more",
    "unavailable": "the ledger cannot be reached; nothing was counted, send it again later",
}


class Feedback:
    """Counts outcomes; `roles` names the models that are served and the role of each."""

    def __init__(
        self,
        receipts: Receipts,
        ledger: Ledger,
        recorder: Recorder,
        slot: str,
        roles: Mapping[str, str],
        max_age_seconds: int,
    ) -> None:
        self._receipts = receipts
        self._ledger = ledger
        self._recorder = recorder
        self._slot = slot
        self._roles = roles
        self._max_age = max_age_seconds
        # One outcome at a time in a worker: a number is written down and counted before the next.
        self._lock = Lock()
        self._recovered = False

    def begin(self) -> None:
        """Take over what the slot's last holder left; a ledger that is away is asked again."""
        with self._lock, contextlib.suppress(LedgerError):
            self._recover()

    def take(self, receipt: str, truth: str) -> str:
        """One of the table's FEEDBACK_RESULTS; `truth` is a class name."""
        result = self._take(receipt, truth)
        self._recorder.feedback(result)
        return result

    def _take(self, text: str, truth: str) -> str:
        try:
            receipt, issued = self._receipts.read(text, self._max_age)
        except SignatureExpired:
            return "expired"
        except (BadData, TypeError, ValueError):
            return "forged"
        role = self._roles.get(receipt.model_version)
        if role is None:
            return "foreign"
        return self._count(receipt, issued, role, truth)

    def _other(self, receipt: Receipt) -> str | None:
        """What the other model decided, if both still have their roles."""
        second = receipt.second
        if second is None:
            return None
        roles = {self._roles[receipt.model_version], self._roles.get(second.model_version)}
        return second.class_name if roles == {"champion", "challenger"} else None

    def _count(self, receipt: Receipt, issued: float, role: str, truth: str) -> str:
        outcome = Outcome(
            role=role,
            class_name=receipt.class_name,
            truth=truth,
            user_type=receipt.user_type,
            value_band=receipt.value_band,
            probability=receipt.probability,
            delay=max(0.0, time.time() - issued),
            other_class_name=self._other(receipt),
        )
        content = msgspec.json.encode(outcome).decode()
        with self._lock:
            try:
                self._recover()
                note = Note(self._recorder.last_note() + 1, content)
                new = self._ledger.use(receipt.id, issued + self._max_age, self._slot, note)
            except LedgerError:
                return "unavailable"
            if not new:
                return "repeated"
            self._recorder.outcome(outcome, note.number)
        return "counted"

    def _recover(self) -> None:
        """Count what the slot's last holder wrote down and did not live to count."""
        if self._recovered:
            return
        for note in self._ledger.open_notes(self._slot, self._recorder.last_note()):
            self._recorder.outcome(msgspec.json.decode(note.content, type=Outcome), note.number)
        self._recovered = True


def entry_of(body: object, place: str = "") -> tuple[str, str]:
    """Receipt and label of {"receipt": …, "label": …}; ApiError names what is wrong, at `place`."""
    if not isinstance(body, dict):
        where = place.rstrip(".") or "the body"
        raise ApiError("wrong_type", f"{where} must be an object, got {type(body).__name__}")
    if extra := [str(name)[:60] for name in body if name not in ("receipt", "label")]:
        raise ApiError("unknown_field", f"{place}{extra[0]} is not known here", place + extra[0])
    return _text(body, "receipt", place), _label(body, place)


def entries_of(body: dict[str, object], most: int) -> list[tuple[str, str]]:
    """The entries of {"feedback": […]}: all are right, or none is taken."""
    rows = body["feedback"]
    if not isinstance(rows, list):
        raise ApiError("wrong_type", "feedback must be a list", "feedback")
    if not 1 <= len(rows) <= most:
        raise ApiError(
            "batch_size", f"feedback must hold 1 to {most} entries, got {len(rows)}", "feedback"
        )
    return [entry_of(row, f"feedback[{number}].") for number, row in enumerate(rows)]


def _text(body: dict[str, object], name: str, place: str) -> str:
    if name not in body:
        raise ApiError("missing_field", f"{place}{name} is missing", place + name)
    value = body[name]
    if not isinstance(value, str):
        kind = type(value).__name__
        raise ApiError("wrong_type", f"{place}{name} must be text, got {kind}", place + name)
    return value


def _label(body: dict[str, object], place: str) -> str:
    label = _text(body, "label", place)
    if label not in CLASS_NAMES:
        known = " or ".join(CLASS_NAMES)
        raise ApiError(
            "unknown_category", f"{place}label must be {known}, got {label[:60]!r}", place + "label"
        )
    return label
