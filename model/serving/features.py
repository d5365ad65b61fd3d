"""From a transaction's JSON object to the row of numbers that the scorer takes.

This is the hot path: what can be decided from the card is decided once, in the constructor.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, Final

import msgspec

from model.serving.card import Card
from model.serving.feature_readers import make_reader
from model.serving.invalid_transaction import InvalidTransaction, list_words
from model.serving.vocabulary import BASIC, HIGH_VALUE, LOW_VALUE, PREMIUM, STANDARD, USER_TYPES

USER_TYPE_FIELD: Final = "user_type"


class Transaction(msgspec.Struct, frozen=True):
    """A valid transaction: `row` in the card's order, categories as their index, null as NaN.

    `value` is the value band's feature, 0 where the card has no value band.
    """

    row: list[float]
    user_type: str
    value: float
    value_band: str


class TransactionReader:
    """Reads transactions of one card."""

    def __init__(self, card: Card) -> None:
        self._columns = [(feature.name, make_reader(feature)) for feature in card.features]
        self._readers = [(name, reader.read) for name, reader in self._columns]
        self._names = [feature.name for feature in card.features]
        self._size = len(self._names)
        # A model whose own features include `user_type` keeps it as a feature.
        self._reads_user_type = USER_TYPE_FIELD not in self._names
        self._expected = {name: reader.expected for name, reader in self._columns}
        types, band = card.user_types, card.value_band
        self._type_index = self._names.index(types.feature) if types else None
        self._premium_from = types.premium_from if types else math.inf
        self._standard_from = types.standard_from if types else -math.inf
        self._value_index = self._names.index(band.feature) if band else None
        self._high_from = band.high_from if band else math.inf

    def read(self, transaction: object) -> Transaction:
        """The transaction in the card's terms; InvalidTransaction names the first problem."""
        if type(transaction) is not dict:
            raise InvalidTransaction("wrong_type", None, transaction, "an object")
        try:
            row = [read(transaction[name]) for name, read in self._readers]
        except KeyError as missing:
            name = missing.args[0]
            raise InvalidTransaction("missing_field", name, None, self._expected[name]) from None
        return self._describe(transaction, row)

    def read_all(self, transactions: Sequence[Any]) -> list[Transaction]:
        """The same for a batch, feature by feature, at half the cost of one by one.

        InvalidTransaction says that one of them is refused, but not the first problem of the first.
        """
        if {*map(type, transactions)} != {dict}:
            raise InvalidTransaction("wrong_type", None, transactions, "objects")
        try:
            columns = [
                reader.read_column([one[name] for one in transactions])
                for name, reader in self._columns
            ]
        except KeyError as missing:
            name = missing.args[0]
            raise InvalidTransaction("missing_field", name, None, self._expected[name]) from None
        rows = map(list, zip(*columns, strict=True))
        return list(map(self._describe, transactions, rows))

    def _describe(self, transaction: dict[str, object], row: list[float]) -> Transaction:
        """What is derived of a valid row; only now is a field that nobody knows refused."""
        if len(transaction) == self._size:
            user_type = self._user_type_of(row)
        else:
            user_type = self._read_user_type(transaction)
        if self._value_index is None:
            return Transaction(row, user_type, 0.0, LOW_VALUE)
        value = row[self._value_index]
        return Transaction(
            row, user_type, value, HIGH_VALUE if value >= self._high_from else LOW_VALUE
        )

    def _user_type_of(self, row: list[float]) -> str:
        if self._type_index is None:
            return STANDARD
        value = row[self._type_index]
        if value >= self._premium_from:
            return PREMIUM
        return STANDARD if value >= self._standard_from else BASIC

    def _read_user_type(self, transaction: dict[str, object]) -> str:
        """The caller's own word; every field beside it must be a feature."""
        known = set(self._names)
        if self._reads_user_type:
            known.add(USER_TYPE_FIELD)
        for name in transaction:
            if name not in known:
                raise InvalidTransaction("unknown_field", name, None, ", ".join(self._names))
        stated = transaction[USER_TYPE_FIELD]
        if type(stated) is not str:
            raise InvalidTransaction("wrong_type", USER_TYPE_FIELD, stated, list_words(USER_TYPES))
        if stated not in USER_TYPES:
            raise InvalidTransaction(
                "unknown_category", USER_TYPE_FIELD, stated, list_words(USER_TYPES)
            )
        return stated
