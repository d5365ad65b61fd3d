"""Cells of a table as values of the model's features, as true classes and as times."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any, Final

from simulator.contract.errors import ReplayError
from simulator.contract.model_info import Feature
from simulator.contract.vocabulary import BOOLEAN, CATEGORY, FRAUD, INTEGER, LEGITIMATE
from simulator.transactions.transaction import Value

# What stands for no value; model training reads its files so too.
_MISSING: Final = frozenset({"", "na", "n/a", "#n/a", "nan", "-nan", "null", "none", "<na>"})
_TRUE: Final = frozenset({"1", "true", "yes", FRAUD})
_FALSE: Final = frozenset({"0", "false", "no", LEGITIMATE})

# float() also takes 1_000 and digits of other scripts, which no other reader of tables does.
_NUMBER: Final = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?", re.ASCII | re.IGNORECASE)
_WHOLE: Final = re.compile(r"[+-]?\d+", re.ASCII)

# As seconds since 1970 this is the year 5138: such a number counts milliseconds or less.
_LARGEST_SECONDS: Final = 1e11


@dataclass(frozen=True, slots=True)
class Place:
    """Where a cell stands, for sentences: `row` is the file and the row's number."""

    row: str
    column: str

    def build_error(self, expected: str, cell: Any, advice: str = "") -> ReplayError:
        """The sentence that says what the cell must be, what it is, and how to go on."""
        return ReplayError(
            f"{self.row} {self.column} must be {expected}, got {cell!r:.60}"
            + (f"; {advice}" if advice else "")
        )


@dataclass(frozen=True, slots=True)
class Timestamp:
    """Seconds since some beginning; of a date since 1970."""

    seconds: float
    is_date: bool


def is_missing(cell: Any) -> bool:
    """True where the cell holds no value."""
    return cell is None or str(cell).strip().lower() in _MISSING


def parse_value(cell: Any, feature: Feature, place: Place) -> Value:
    """The value to send, None for a missing one; raises ReplayError."""
    if feature.type == CATEGORY:
        return _parse_category(cell, feature)
    if is_missing(cell):
        return None
    if feature.type == BOOLEAN:
        return parse_flag(cell, place)
    return _parse_number(cell, feature.type == INTEGER, place)


def parse_flag(cell: Any, place: Place) -> bool:
    """True or false in any of the usual words; raises ReplayError."""
    text = str(cell).strip().lower()
    if _NUMBER.fullmatch(text):
        text = f"{float(text):g}"
    if text in _TRUE or text in _FALSE:
        return text in _TRUE
    raise place.build_error("0 or 1, false or true, no or yes, legitimate or fraud", cell)


def parse_timestamp(cell: Any, place: Place) -> Timestamp:
    """Seconds or a date; dates without a zone are UTC; raises ReplayError."""
    moment = _read_text(cell.strip()) if isinstance(cell, str) else cell
    if isinstance(moment, timedelta):
        moment = moment.total_seconds()
    if isinstance(moment, date) and not isinstance(moment, datetime):
        moment = datetime(moment.year, moment.month, moment.day)
    if isinstance(moment, datetime):
        return Timestamp(moment.replace(tzinfo=moment.tzinfo or UTC).timestamp(), True)
    if isinstance(moment, int | float | Decimal) and not isinstance(moment, bool):
        seconds = _to_float(moment)
        if abs(seconds) < _LARGEST_SECONDS:
            return Timestamp(seconds, False)
        raise place.build_error("seconds or a date", cell, "it counts milliseconds or less: divide")
    raise place.build_error("seconds or a date", cell, "a date is 2024-01-31 or 2024-01-31 12:00")


def is_compact_date(timestamp: Timestamp) -> bool:
    """True for a number as 20240131, which may be a date without its hyphens."""
    number = timestamp.seconds
    if timestamp.is_date or not 19000101 <= number <= 21001231 or number != int(number):
        return False
    try:
        datetime.strptime(str(int(number)), "%Y%m%d")
    except ValueError:
        return False
    return True


def _parse_category(cell: Any, feature: Feature) -> str | None:
    """A word of the model's categories before a missing value: NA may be a country."""
    text = str(cell)
    if text in feature.categories:
        return text
    if is_missing(cell):
        return None
    # Integers with missing values among them are floating-point numbers in Parquet files of pandas.
    if isinstance(cell, float) and cell.is_integer() and str(int(cell)) in feature.categories:
        return str(int(cell))
    return text


def _parse_number(cell: Any, is_integer: bool, place: Place) -> float | int:
    if isinstance(cell, str):
        text = cell.strip()
        if _NUMBER.fullmatch(text) is None:
            raise place.build_error("a number", cell, _advise_on_number(text))
        cell = Decimal(text) if _WHOLE.fullmatch(text) is None else _to_int(text)
    if not isinstance(cell, int | float | Decimal) or not math.isfinite(_to_float(cell)):
        raise place.build_error("a number", cell)
    # An integer is sent digit by digit: a floating-point number keeps 53 bits of it.
    return int(cell) if is_integer and cell == int(cell) else float(cell)


def _advise_on_number(text: str) -> str:
    """For numbers as people write them: with separators, units or a decimal comma."""
    if not any(character.isdecimal() for character in text):
        return ""
    return "write it with digits and a decimal point alone"


def _to_int(text: str) -> int | float:
    """Infinite for more digits than Python converts."""
    try:
        return int(text)
    except ValueError:
        return math.inf


def _to_float(number: float | Decimal) -> float:
    """Infinite for what is greater than every floating-point number."""
    try:
        return float(number)
    except OverflowError:
        return math.inf


def _read_text(text: str) -> float | datetime | None:
    if _NUMBER.fullmatch(text):
        return float(text)
    try:
        return datetime.fromisoformat(re.sub(r" ?(UTC|GMT)$", "+00:00", text))
    except ValueError:
        return None
