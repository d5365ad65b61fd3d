"""From a transaction's JSON object to the row of numbers that the scorer takes.

This is the hot path: what can be decided from the card is decided once, in the constructor.
"""

from __future__ import annotations

import json
import math
import sys
from typing import Final, Literal

import msgspec

from model.serving.card import Card, Feature
from model.serving.vocabulary import BASIC, HIGH_VALUE, LOW_VALUE, PREMIUM, STANDARD, USER_TYPES

USER_TYPE_FIELD: Final = "user_type"
ECHO_LENGTH: Final = 60

ProblemType = Literal[
    "missing_field", "unknown_field", "wrong_type", "out_of_range", "unknown_category"
]


class Transaction(msgspec.Struct, frozen=True):
    """A valid transaction: `row` in the card's order, categories as their index, null as NaN.

    `value` is the value band's feature, 0 where the card has no value band.
    """

    row: list[float]
    user_type: str
    value: float
    value_band: str


class InvalidTransaction(ValueError):
    """A transaction that does not follow the card; `message` is one sentence for the caller."""

    def __init__(self, type: ProblemType, field: str | None, value: object, expected: str) -> None:
        self.type = type
        self.field = field
        self.value = value
        self.expected = expected
        self.message = _explain_problem(type, field, value, expected)
        super().__init__(self.message)


class TransactionReader:
    """Reads transactions of one card."""

    def __init__(self, card: Card) -> None:
        self._readers = [(feature.name, _make_reader(feature).read) for feature in card.features]
        self._names = [feature.name for feature in card.features]
        self._size = len(self._names)
        # A model whose own features include `user_type` keeps it as a feature.
        self._reads_user_type = USER_TYPE_FIELD not in self._names
        self._expected = {feature.name: _make_reader(feature).expected for feature in card.features}
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
            raise InvalidTransaction("wrong_type", USER_TYPE_FIELD, stated, _list_words(USER_TYPES))
        if stated not in USER_TYPES:
            raise InvalidTransaction(
                "unknown_category", USER_TYPE_FIELD, stated, _list_words(USER_TYPES)
            )
        return stated


class _Number:
    """A number within its bounds. JSON's numbers only: no text, no boolean, no NaN, no Infinity."""

    def __init__(self, feature: Feature) -> None:
        self._name = feature.name
        # Finite bounds even where the card has none: an infinity and an integer too large for
        # a float then fail the comparison.
        self._minimum = -sys.float_info.max if feature.minimum is None else feature.minimum
        self._maximum = sys.float_info.max if feature.maximum is None else feature.maximum
        self.expected: str = "a number" + _describe_bounds(feature) + _mention_null(feature)

    def read(self, value: object) -> float:
        if type(value) is float or type(value) is int:
            if self._minimum <= value <= self._maximum:
                return float(value)
            if value == value:
                raise InvalidTransaction("out_of_range", self._name, value, self.expected)
        raise InvalidTransaction("wrong_type", self._name, value, self.expected)


class _Integer(_Number):
    """A whole number within its bounds: 35 and 35.0, not 35.5."""

    def __init__(self, feature: Feature) -> None:
        super().__init__(feature)
        self.expected = "a whole number" + _describe_bounds(feature) + _mention_null(feature)

    def read(self, value: object) -> float:
        number = super().read(value)
        if number.is_integer():
            return number
        raise InvalidTransaction("wrong_type", self._name, value, self.expected)


class _Boolean:
    def __init__(self, feature: Feature) -> None:
        self._name = feature.name
        self.expected: str = "true or false" + _mention_null(feature)

    def read(self, value: object) -> float:
        if type(value) is bool:
            return 1.0 if value else 0.0
        raise InvalidTransaction("wrong_type", self._name, value, self.expected)


class _Category:
    """One of the card's categories; its index is the number that the model takes."""

    def __init__(self, feature: Feature) -> None:
        self._name = feature.name
        categories = feature.categories or ()
        self._codes = {category: float(code) for code, category in enumerate(categories)}
        self.expected: str = _list_words(categories) + _mention_null(feature)

    def read(self, value: object) -> float:
        if type(value) is not str:
            raise InvalidTransaction("wrong_type", self._name, value, self.expected)
        code = self._codes.get(value)
        if code is None:
            raise InvalidTransaction("unknown_category", self._name, value, self.expected)
        return code


class _Nullable:
    """A field that may be null: the model was trained on rows where it was not known."""

    def __init__(self, reader: _Reader) -> None:
        self._read = reader.read
        self.expected: str = reader.expected

    def read(self, value: object) -> float:
        return math.nan if value is None else self._read(value)


_Reader = _Number | _Boolean | _Category | _Nullable
_READERS: Final[dict[str, type[_Number] | type[_Boolean] | type[_Category]]] = {
    "number": _Number,
    "integer": _Integer,
    "boolean": _Boolean,
    "category": _Category,
}


def _make_reader(feature: Feature) -> _Reader:
    reader = _READERS[feature.type](feature)
    return _Nullable(reader) if feature.nullable else reader


def _mention_null(feature: Feature) -> str:
    return ", or null" if feature.nullable else ""


def _describe_bounds(feature: Feature) -> str:
    low, high = feature.minimum, feature.maximum
    if low is None or high is None:
        if low is not None:
            return f" of at least {_format_number(low)}"
        return "" if high is None else f" of at most {_format_number(high)}"
    return f" between {_format_number(low)} and {_format_number(high)}"


def _format_number(number: float) -> str:
    """Without a trailing '.0': 50000, 0.5."""
    return str(int(number)) if number == round(number) and abs(number) < 1e15 else repr(number)


def _list_words(words: tuple[str, ...]) -> str:
    """At most ten of the words, each quoted; a caller needs an example, not the whole list."""
    shown = ", ".join(f'"{word}"' for word in words[:10])
    return f"one of {shown}" + (f" … ({len(words)} in all)" if len(words) > 10 else "")


def _explain_problem(type: ProblemType, field: str | None, value: object, expected: str) -> str:
    if type == "missing_field":
        return f"{field} is missing; it must be {expected}"
    if type == "unknown_field":
        return f"{_shorten(str(field))} is not a field of this model; its fields are {expected}"
    subject = "a transaction" if field is None else field
    return f"{subject} must be {expected}, got {_echo(value)}"


def _echo(value: object) -> str:
    """The value as JSON, cut, with its kind where that is not plain to see."""
    if value is None or isinstance(value, bool):
        return json.dumps(value)
    if isinstance(value, int):
        # Python refuses to write out integers of thousands of digits.
        return str(value) if value.bit_length() < 256 else "an integer of more than 70 digits"
    if isinstance(value, float):
        return json.dumps(value)
    if isinstance(value, str):
        return f"{_shorten(json.dumps(value[: ECHO_LENGTH + 1], ensure_ascii=False))} (a string)"
    if isinstance(value, dict | list):
        return f"{'an object' if isinstance(value, dict) else 'a list'} of {len(value)} items"
    return f"a {type(value).__name__}"


def _shorten(text: str) -> str:
    return text if len(text) <= ECHO_LENGTH else text[: ECHO_LENGTH - 1] + "…"
