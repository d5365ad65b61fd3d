"""What one feature's value must be, by the card: from JSON's value to the number that a row has.

A reader also reads a column, the values of one feature in all rows of a batch, in a few calls for
all of them; where one of them is refused it raises what `read` raises for one that is.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Sequence
from typing import Any, Final

from model.serving.card import Feature
from model.serving.invalid_transaction import InvalidTransaction, list_words

_NUMBERS: Final = frozenset((float, int))


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

    def read_column(self, values: Sequence[Any]) -> list[float]:
        within = (
            _NUMBERS.issuperset(map(type, values))
            and self._minimum <= min(values)
            and max(values) <= self._maximum
        )
        if within:
            numbers = list(map(float, values))
            if not math.isnan(sum(numbers)):
                return numbers
        return [self.read(value) for value in values]


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

    def read_column(self, values: Sequence[Any]) -> list[float]:
        numbers = super().read_column(values)
        if all(map(float.is_integer, numbers)):
            return numbers
        return [self.read(value) for value in values]


class _Boolean:
    def __init__(self, feature: Feature) -> None:
        self._name = feature.name
        self.expected: str = "true or false" + _mention_null(feature)

    def read(self, value: object) -> float:
        if type(value) is bool:
            return 1.0 if value else 0.0
        raise InvalidTransaction("wrong_type", self._name, value, self.expected)

    def read_column(self, values: Sequence[Any]) -> list[float]:
        return [self.read(value) for value in values]


class _Category:
    """One of the card's categories; its index is the number that the model takes."""

    def __init__(self, feature: Feature) -> None:
        self._name = feature.name
        categories = feature.categories or ()
        self._codes = {category: float(code) for code, category in enumerate(categories)}
        self.expected: str = list_words(categories) + _mention_null(feature)

    def read(self, value: object) -> float:
        if type(value) is not str:
            raise InvalidTransaction("wrong_type", self._name, value, self.expected)
        code = self._codes.get(value)
        if code is None:
            raise InvalidTransaction("unknown_category", self._name, value, self.expected)
        return code

    def read_column(self, values: Sequence[Any]) -> list[float]:
        return [self.read(value) for value in values]


class _Nullable:
    """A field that may be null: the model was trained on rows where it was not known."""

    def __init__(self, reader: _Reader) -> None:
        self._read = reader.read
        self.expected: str = reader.expected

    def read(self, value: object) -> float:
        return math.nan if value is None else self._read(value)

    def read_column(self, values: Sequence[Any]) -> list[float]:
        return [self.read(value) for value in values]


_Reader = _Number | _Boolean | _Category | _Nullable
_READERS: Final[dict[str, type[_Number] | type[_Boolean] | type[_Category]]] = {
    "number": _Number,
    "integer": _Integer,
    "boolean": _Boolean,
    "category": _Category,
}


def make_reader(feature: Feature) -> _Reader:
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
