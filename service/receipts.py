"""Signed receipts: what a caller keeps to label a prediction later (delayed labels).

A receipt carries all that is needed to count the outcome, so no prediction is stored. It is
signed, not encrypted, and carries no feature value.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from service.receipt_signing import ReceiptSerializer
from service.state import read_or_make_secret

_SALT = "prediction-receipt-1"
_KEY_FILE = "receipt-key"
_OWN_ENTRIES = 6


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
        content = [
            secrets.token_hex(8),
            model_version,
            class_name,
            round(probability, 6),
            user_type,
            value_band,
        ]
        if shadow is not None:
            content += [shadow.model_version, shadow.class_name, round(shadow.probability, 6)]
        return str(self._serializer.dumps(content))

    def read(self, text: str) -> tuple[Receipt, float]:
        """The content, and when it was issued in seconds since 1970, to the second.

        Raises itsdangerous.BadData for what was not signed by one of the keys. The age is the
        caller's to judge: itsdangerous takes a receipt of the future for one that is too old.
        """
        content, issued = self._serializer.loads(text, return_timestamp=True)
        return _parse(*content), issued.timestamp()


def _parse(*content: Any) -> Receipt:
    """From six entries, or from nine where two models scored."""
    own, other = content[:_OWN_ENTRIES], content[_OWN_ENTRIES:]
    receipt = Receipt(*own)
    return replace(receipt, shadow=ShadowPrediction(*other)) if other else receipt


def find_keys(given: Sequence[str], folder: Path) -> tuple[str, ...]:
    """The keys that were given, else one made once in `folder` and shared by all its workers."""
    return tuple(given) or (read_or_make_secret(folder / _KEY_FILE),)
