"""A transaction, as it is drawn and as it goes over the wire."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass

Value = float | int | bool | str | None
Transaction = dict[str, Value]


@dataclass(frozen=True)
class SampledTransaction:
    """A transaction ready to send, and its customer's type (None where the model has none).

    `fraud_probability`: the true one; None where the simulator cannot know it.
    """

    transaction: Transaction
    user_type: str | None
    fraud_probability: float | None = None


def encode_transaction(transaction: Mapping[str, object]) -> bytes:
    """The transaction as JSON; ValueError for a number that JSON does not have."""
    return json.dumps(transaction, allow_nan=False).encode()
