"""Signed receipts: what a caller keeps to tell the truth about a prediction later.

A receipt carries all that is needed to count the outcome, so no prediction is stored. It is
signed, not encrypted, and carries no feature value.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from itsdangerous import URLSafeTimedSerializer

_SALT = "prediction-receipt-1"
_KEY_FILE = "receipt-key"
_OWN_ENTRIES = 6


@dataclass(frozen=True)
class Second:
    """What the other loaded model said of the same transaction; nobody was answered by it."""

    model_version: str
    class_name: str
    probability: float


@dataclass(frozen=True)
class Receipt:
    """What is known of one prediction when it is made; `second` only where two models scored it."""

    id: str
    model_version: str
    class_name: str
    probability: float
    user_type: str
    value_band: str
    second: Second | None = None


class Receipts:
    """Signs with the newest of `keys`."""

    def __init__(self, keys: Sequence[str]) -> None:
        # itsdangerous signs with the last key of its list and accepts all of them.
        self._serializer = URLSafeTimedSerializer(list(reversed(keys)), salt=_SALT)

    def issue(
        self,
        model_version: str,
        class_name: str,
        probability: float,
        user_type: str,
        value_band: str,
        second: Second | None = None,
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
        if second is not None:
            content += [second.model_version, second.class_name, round(second.probability, 6)]
        return str(self._serializer.dumps(content))

    def read(self, text: str, max_age_seconds: int) -> tuple[Receipt, float]:
        """The content, and when it was issued in seconds since 1970.

        Raises itsdangerous.BadSignature, of which SignatureExpired means that it is too old.
        """
        content, issued = self._serializer.loads(
            text, max_age=max_age_seconds, return_timestamp=True
        )
        return _receipt(*content), issued.timestamp()


def _receipt(*content: Any) -> Receipt:
    """Of six entries, or of nine where two models scored."""
    own, other = content[:_OWN_ENTRIES], content[_OWN_ENTRIES:]
    receipt = Receipt(*own)
    return replace(receipt, second=Second(*other)) if other else receipt


def keys_of(given: Sequence[str], folder: Path) -> tuple[str, ...]:
    """The keys that were given, else one made once in `folder` and shared by all its workers."""
    return tuple(given) or (_kept_key(folder / _KEY_FILE),)


def _kept_key(path: Path) -> str:
    mine = path.with_name(f"{path.name}-{os.getpid()}")
    mine.touch(mode=0o600)
    mine.write_text(secrets.token_hex(32))
    try:
        # A link appears whole or not at all, and only the first worker's does.
        os.link(mine, path)
    except FileExistsError:
        pass
    finally:
        mine.unlink()
    return path.read_text()
