"""Signed receipts: what a caller keeps to label a prediction later (delayed labels).

A receipt carries all that is needed to count the outcome, so no prediction is stored. It is
signed, not encrypted, and carries no feature value.
"""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from model.serving.vocabulary import CLASS_NAMES, USER_TYPES, VALUE_BANDS
from service.receipt_signing import ReceiptSerializer
from service.state import read_or_make_secret
from telemetry.prediction_counts import ScoredTransaction

_SALT = "prediction-receipt-1"
_ROUTING_SALT = b"routing-key-1"
_KEY_FILE = "receipt-key"
_OWN_ENTRIES = 6
_ID_BYTES = 8


@dataclass(frozen=True)
class ShadowPrediction:
    """What the other loaded model said of the same transaction; nobody was answered by it."""

    model_version: str
    class_name: str
    probability: float


@dataclass(frozen=True)
class Receipt:
    """What is known of one prediction when it is made; `shadow` only where two models scored it."""

    id: str
    model_version: str
    class_name: str
    probability: float
    user_type: str
    value_band: str
    shadow: ShadowPrediction | None = None


class Receipts:
    """Signs with the newest of `keys`, and reads what any of them signed."""

    def __init__(self, keys: Sequence[str]) -> None:
        # itsdangerous signs with the last key of its list and accepts all of them.
        self._serializer = ReceiptSerializer(list(reversed(keys)), _SALT)

    def issue(
        self,
        model_version: str,
        class_name: str,
        probability: float,
        user_type: str,
        value_band: str,
        shadow: ShadowPrediction | None = None,
    ) -> str:
        """A receipt for one prediction, as text that is safe in a URL."""
        content = [model_version, class_name, round(probability, 6), user_type, value_band]
        [receipt] = self._sign([_add_shadow(content, shadow)])
        return receipt

    def issue_all(
        self,
        model_version: str,
        transactions: Sequence[ScoredTransaction],
        shadows: Sequence[ShadowPrediction | None],
    ) -> list[str]:
        """A receipt for each transaction of a request that this version answered."""
        contents = [
            [
                model_version,
                one.class_name,
                round(one.probability, 6),
                one.user_type,
                one.value_band,
            ]
            for one in transactions
        ]
        if any(shadows):
            contents = list(map(_add_shadow, contents, shadows))
        return self._sign(contents)

    def _sign(self, contents: Sequence[list[Any]]) -> list[str]:
        """The contents, each behind an id of its own, as receipts."""
        ids = secrets.token_hex(_ID_BYTES * len(contents))
        size = 2 * _ID_BYTES
        numbered = [
            [ids[size * n : size * n + size], *content] for n, content in enumerate(contents)
        ]
        return self._serializer.dump_all(numbered)

    def read(self, text: str) -> tuple[Receipt, float]:
        """The content, and when it was issued in seconds since 1970, to the second.

        Raises itsdangerous.BadData for what was not signed by one of the keys, ValueError or
        TypeError for content that this version does not issue. The age is the
        caller's to judge: itsdangerous takes a receipt of the future for one that is too old.
        """
        content, issued = self._serializer.loads(text, return_timestamp=True)
        return _parse(*content), issued.timestamp()


def _add_shadow(content: list[Any], shadow: ShadowPrediction | None) -> list[Any]:
    if shadow is None:
        return content
    return [*content, shadow.model_version, shadow.class_name, round(shadow.probability, 6)]


def _parse(*content: Any) -> Receipt:
    """From six entries, or from nine where two models scored.

    Signed is not enough: another version may have used other words with the same key.
    """
    own, other = content[:_OWN_ENTRIES], content[_OWN_ENTRIES:]
    receipt = Receipt(*own)
    _check(receipt.model_version, receipt.class_name, receipt.probability)
    if receipt.user_type not in USER_TYPES or receipt.value_band not in VALUE_BANDS:
        raise ValueError("a receipt with unknown words")
    # Of ASCII: no store takes half of a surrogate pair.
    if not isinstance(receipt.id, str) or not receipt.id.isascii():
        raise TypeError("a receipt without an id")
    if not other:
        return receipt
    shadow = ShadowPrediction(*other)
    _check(shadow.model_version, shadow.class_name, shadow.probability)
    return replace(receipt, shadow=shadow)


def _check(model_version: object, class_name: object, probability: object) -> None:
    if not isinstance(model_version, str) or class_name not in CLASS_NAMES:
        raise ValueError("a receipt with unknown words")
    if not isinstance(probability, int | float) or not 0 <= probability <= 1:
        raise ValueError("a receipt without a probability")


def derive_routing_secret(keys: Sequence[str]) -> bytes:
    """What routing keys are hashed with, made from the newest key: the same on all replicas."""
    return hmac.digest(keys[0].encode(), _ROUTING_SALT, "sha256")


def find_keys(given: Sequence[str], folder: Path) -> tuple[str, ...]:
    """The keys that were given, else one made once in `folder` and shared by all its workers."""
    return tuple(given) or (read_or_make_secret(folder / _KEY_FILE),)
