"""From a table's column to a feature's type, bounds and numbers."""

from __future__ import annotations

import math
import shlex
from typing import Final

import numpy as np
import pandas as pd

from model.data.dataset import MOST_CATEGORIES, Column, Floats
from model.data.marked_numbers import refuse_marked_numbers
from model.data.times import refuse_dates
from model.serving.errors import ModelError

# Beyond it nothing is a quantity: a marker, or an overflow of whatever wrote the file.
_LARGEST_NUMBER: Final = 1e30
# How far beyond what was seen a request may go, in spans of what was seen. Wide on purpose: real
# amounts have long tails, and the bounds are there to catch a wrong unit, not a rare customer.
BOUND_SPANS: Final = 10.0
_LARGEST_EXACT: Final = 2**53
UNKNOWN_CATEGORY: Final = -1.0


def infer_column(
    name: str, values: pd.Series, most_categories: int = MOST_CATEGORIES, as_text: bool = False
) -> Column:
    """The column's description from the rows that may be trained on.

    Whole-number columns are integers, true/false are booleans, texts are categories. Texts that
    look like numbers are refused, unless they are known to be texts (`as_text`).
    """
    if name == "transactions":
        raise ModelError("a feature cannot be called 'transactions': that names a batch of them")
    present = values.dropna()
    nullable = len(present) < len(values)
    if present.empty:
        raise ModelError(
            f"column '{name}' holds no value at all; leave it out with --drop {shlex.quote(name)}"
        )
    if pd.api.types.is_numeric_dtype(present) and not pd.api.types.is_bool_dtype(present):
        return _describe_number(name, present, nullable)
    kinds = {type(value) for value in present}
    if kinds == {str} and not as_text:
        refuse_dates(name, present)
        refuse_marked_numbers(name, present)
    if pd.api.types.is_datetime64_any_dtype(present):
        refuse_dates(name, present.astype(str))
    if kinds == {int}:
        raise ModelError(_explain_large_integers(name))
    if kinds == {bool}:
        return Column(name, "boolean", nullable=nullable)
    if kinds == {str}:
        return _describe_category(name, present, nullable, most_categories)
    found = " and ".join(sorted(kind.__name__ for kind in kinds))
    raise ModelError(
        f"column '{name}' holds {found} values, not only numbers, only texts or only true/false;"
        f" leave it out with --drop {shlex.quote(name)}"
    )


def encode_column(column: Column, values: pd.Series) -> Floats:
    """The numbers that the model takes: missing NaN, a category its index, an unknown one -1."""
    if column.type != "category":
        try:
            return _convert_to_floats(column.name, values)
        except (ValueError, TypeError) as error:
            raise ModelError(f"column '{column.name}' holds values that are no numbers") from error
    codes = {category: float(code) for code, category in enumerate(column.categories or ())}
    known = values.map(lambda value: codes.get(value, UNKNOWN_CATEGORY), na_action="ignore")
    return _convert_to_floats(column.name, known)


def _convert_to_floats(name: str, values: pd.Series) -> Floats:
    plain = pd.to_numeric(values).astype("Float64")
    numbers = np.asarray(plain.to_numpy(np.float64, na_value=np.nan), dtype=np.float64)
    infinite = int(np.isinf(numbers).sum())
    if infinite:
        raise ModelError(f"column '{name}' holds {infinite:,} infinite values; make them missing")
    return numbers


def find_allowed(column: Column, numbers: Floats) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    """True for those encoded values that a request may hold."""
    missing = np.isnan(numbers)
    if column.type == "category":
        fits = numbers != UNKNOWN_CATEGORY
    else:
        low = -math.inf if column.minimum is None else column.minimum
        high = math.inf if column.maximum is None else column.maximum
        fits = (numbers >= low) & (numbers <= high)
    result: np.ndarray[tuple[int], np.dtype[np.bool_]] = (
        missing | fits if column.nullable else fits & ~missing
    )
    return result


def _describe_number(name: str, present: pd.Series, nullable: bool) -> Column:
    numbers = _convert_to_floats(name, present)
    whole = pd.api.types.is_integer_dtype(present)
    low, high = float(numbers.min()), float(numbers.max())
    if max(abs(low), abs(high)) > _LARGEST_NUMBER:
        extreme = high if high > -low else low
        raise ModelError(
            f"column '{name}' holds {extreme:g}, larger than any quantity; if that stands for"
            f" missing, read it with --missing={extreme!r}"
        )
    if max(abs(low), abs(high)) > _LARGEST_EXACT and whole:
        raise ModelError(_explain_large_integers(name))
    minimum, maximum = _widen_range(low, high, whole)
    kind = "integer" if whole else "number"
    return Column(name, kind, minimum=minimum, maximum=maximum, nullable=nullable)  # type: ignore[arg-type]


def _explain_large_integers(name: str) -> str:
    return (
        f"column '{name}' holds whole numbers beyond 2^53, which JSON cannot carry exactly; if they"
        f" are identifiers, leave the column out with --drop {shlex.quote(name)}"
    )


def _describe_category(
    name: str, present: pd.Series, nullable: bool, most_categories: int
) -> Column:
    categories = tuple(sorted(present.unique().tolist()))
    if len(categories) > most_categories:
        raise ModelError(
            f"column '{name}' holds {len(categories):,} different texts, more than the"
            f" {most_categories} that a category may have; leave it out with --drop"
            f" {shlex.quote(name)}, or allow more with --most-categories {len(categories)} (each is"
            " a series of the drift metrics)"
        )
    return Column(name, "category", categories=categories, nullable=nullable)


def _widen_range(low: float, high: float, whole: bool) -> tuple[float, float]:
    """BOUND_SPANS beyond what was seen, rounded outwards to two digits; zero stays a bound.

    Whole numbers of 0 and 1 only are flags and stay so.
    """
    if whole and (low, high) == (0.0, 1.0):
        return low, high
    reach = BOUND_SPANS * (high - low)
    minimum = 0.0 if low >= 0 else -_round_up(reach - low)
    maximum = 0.0 if high <= 0 else _round_up(high + reach)
    return minimum, maximum


def _round_up(number: float) -> float:
    """The next larger number of two digits."""
    unit = 10.0 ** (math.floor(math.log10(number)) - 1)
    return float(f"{math.ceil(number / unit) * unit:.12g}")
