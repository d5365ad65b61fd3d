"""A time column as seconds; a date whose day and month may be mixed up is not guessed."""

from __future__ import annotations

import re
import shlex
from typing import Final

import numpy as np
import pandas as pd

from model.data.dataset import Floats
from model.serving.errors import ModelError

_ISO: Final = re.compile(
    r"\d{4}-\d{2}-\d{2}([T ]\d{2}:\d{2}(:\d{2}([.,]\d+)?)?)?(Z|[+-]\d{2}:?\d{2})?"
)
_NUMERIC_DATE: Final = re.compile(r"(\d{1,2})([/.-])(\d{1,2})\2(\d{4}|\d{2})(.*)")
_UNITS: Final = {"s": 1.0, "ms": 1e-3, "us": 1e-6, "ns": 1e-9}
# Seconds beyond the year 5000 are another unit.
_LATEST_SECONDS: Final = 1e11
_MOST: Final = 0.5


def read_times(column: pd.Series, format: str | None = None) -> Floats:
    """Seconds: numbers as they are, dates since 1970 (UTC where they name no zone).

    `format`: how dates are written, as strptime has it, or the unit of numbers (s, ms, us, ns);
    without it dates must be ISO 8601 (2024-01-31, 2024-01-31T12:00:00Z).
    """
    missing = int(column.isna().sum())
    if missing:
        raise ModelError(f"time column '{column.name}' has {missing:,} missing values")
    if pd.api.types.is_bool_dtype(column):
        raise ModelError(f"time column '{column.name}' holds true and false")
    if pd.api.types.is_numeric_dtype(column):
        return _read_numbers(column, format)
    if pd.api.types.is_datetime64_any_dtype(column):
        return _count_seconds(pd.to_datetime(column, utc=True))
    texts = column.astype(str).str.strip()
    if format is None:
        other = texts[~texts.str.fullmatch(_ISO.pattern)]
        if len(other):
            raise ModelError(_ask_for_format(str(column.name), other))
        return _parse(column, texts, "ISO8601")
    return _parse(column, texts, format)


def look_like_day_numbers(column: pd.Series) -> bool:
    """True for whole numbers such as 20240131, each of them a day since 1970."""
    if not pd.api.types.is_integer_dtype(column):
        return False
    days = pd.to_datetime(column.astype(str), format="%Y%m%d", errors="coerce")
    return bool(days.notna().all() and days.dt.year.min() >= 1970)


def refuse_dates(name: str, present: pd.Series) -> None:
    """A ModelError if most texts of a feature are dates: none of them will ever come again."""
    texts = present.str.strip()
    dates = texts.str.fullmatch(_ISO.pattern) | texts.str.fullmatch(_NUMERIC_DATE.pattern)
    if dates.mean() > _MOST:
        quoted = shlex.quote(name)
        raise ModelError(
            f"column '{name}' holds dates such as '{texts[dates].iloc[0]}', which are no feature;"
            f" order the rows by them with --time {quoted}, or leave them out with --drop"
            f" {quoted}; if they are names, --text {quoted}"
        )


def _read_numbers(column: pd.Series, format: str | None) -> Floats:
    numbers = np.asarray(column, dtype=np.float64)
    if format in _UNITS:
        scaled: Floats = numbers * _UNITS[format]
        return scaled
    if format is not None:
        return _parse(column, column.astype(str).str.strip(), format)
    if float(np.median(np.abs(numbers))) > _LATEST_SECONDS:
        raise ModelError(
            f"time column '{column.name}' holds numbers too large for seconds since 1970; say their"
            " unit: --time-format ms (or us, ns; s if they are seconds)"
        )
    if look_like_day_numbers(column):
        raise ModelError(
            f"time column '{column.name}' holds numbers such as {column.iloc[0]} that look like"
            " dates; read them with --time-format %Y%m%d (or s if they are seconds)"
        )
    return numbers


def _parse(column: pd.Series, texts: pd.Series, format: str) -> Floats:
    moments = pd.to_datetime(texts, format=format, utc=True, errors="coerce")
    wrong = texts[moments.isna()]
    if len(wrong):
        raise ModelError(
            f"time column '{column.name}': '{wrong.iloc[0]}' is not a date of the form {format}"
        )
    return _count_seconds(moments)


def _count_seconds(moments: pd.Series) -> Floats:
    return np.asarray((moments - pd.Timestamp(0, tz="UTC")).dt.total_seconds(), dtype=np.float64)


def _ask_for_format(name: str, texts: pd.Series) -> str:
    example = texts.iloc[0]
    parts = texts.str.extract(_NUMERIC_DATE.pattern)
    if parts[0].isna().any():
        return (
            f"time column '{name}' holds neither numbers nor dates of one form: '{example}' is none"
            " of 2024-01-31 or 2024-01-31T12:00:00; say how they are written: --time-format"
            " '%d %b %Y'"
        )
    first, second = (parts[place].astype(int).max() for place in (0, 2))
    year = "%Y" if parts[3].str.len().max() == 4 else "%y"
    mark = parts[1].iloc[0]
    day_first, month_first = f"%d{mark}%m{mark}{year}", f"%m{mark}%d{mark}{year}"
    rest = _find_clock(parts[4])
    day_first, month_first = f"{day_first}{rest}", f"{month_first}{rest}"
    if rest:
        day_first, month_first = shlex.quote(day_first), shlex.quote(month_first)
    if first > 12:
        return (
            f"time column '{name}': dates such as '{example}' look like day, month, year;"
            f" if so, read them with --time-format {day_first}"
        )
    if second > 12:
        return (
            f"time column '{name}': dates such as '{example}' look like month, day, year;"
            f" if so, read them with --time-format {month_first}"
        )
    return (
        f"time column '{name}': in dates such as '{example}' day and month cannot be told apart;"
        f" say which: --time-format {day_first} or {month_first}"
    )


def _find_clock(rests: pd.Series) -> str:
    """The format of what follows the dates, as far as it is a usual one."""
    if not rests.str.len().max():
        return ""
    if rests.str.fullmatch(r" \d{1,2}:\d{2}").all():
        return " %H:%M"
    if rests.str.fullmatch(r" \d{1,2}:\d{2}:\d{2}").all():
        return " %H:%M:%S"
    return " …"
