"""Numbers that stand in a file with marks around or inside them: $12, 1,000, 12,5, 45 %."""

from __future__ import annotations

import re
import shlex
from decimal import Decimal
from typing import Final

import numpy as np
import pandas as pd

from model.serving.errors import ModelError

# Codes such as u12 or 12A are names: letters count as a unit only after a blank, or as a currency.
_MARKED_NUMBER: Final = re.compile(
    r"(?P<before>[^\w\s.,+-]{0,3}|[A-Z]{3} )\s*[+-]?(?P<inner>[^\w\s.,+-]{0,3})"
    r"\d[\d.,'\u2019 \u00a0\u202f\u2009]*"
    r"(?P<after>\s*[^\w\s.,]{0,3}|\s+[^\W\d]{1,4})"
)
# Without these a number would mean something else: (12) is negative, >60 is a bound. U+2212 is a
# minus, U+2013 a dash.
_MEANINGFUL_MARKS: Final = re.compile("[()<>≤≥~≈\u2212\u2013]")
_BLANKS: Final = " \u00a0\u202f\u2009"


def refuse_marked_numbers(name: str, present: pd.Series) -> None:
    """A ModelError that says how to read the column, if most of its texts are numbers."""
    texts = present.str.strip()
    numbers = pd.to_numeric(texts, errors="coerce").notna()
    marked = ~numbers & texts.str.fullmatch(_MARKED_NUMBER.pattern)
    other = texts[~numbers & ~marked]
    if numbers.sum() + marked.sum() < 0.5 * len(texts):
        return
    if marked.any():
        raise ModelError(_explain_marks(name, texts[marked]))
    if numbers.all() and texts.str.contains(r"\d\.\d").any():
        raise ModelError(
            f"column '{name}' holds numbers such as '{texts.iloc[0]}' as texts; if --decimal is"
            f" given, they are not written so; if they are names, --text {shlex.quote(name)}"
        )
    words = ", ".join(repr(word) for word in other.unique()[:3].tolist())
    if numbers.any() and words:
        raise ModelError(
            f"column '{name}' holds numbers and {len(other):,} times a text ({words}); if that"
            f" means missing, read it with --missing {shlex.quote(other.iloc[0])}; if all are"
            f" names, --text {shlex.quote(name)}"
        )


def convert_marked_numbers(
    frame: pd.DataFrame,
    decimal: str,
    thousands: str | None,
    units: tuple[str, ...],
    notes: list[str],
) -> pd.DataFrame:
    """Columns of texts that are numbers in the stated writing become these numbers.

    Not left to pandas, which takes 01.02.2024 for 1022024 where a point separates thousands.
    """
    marks = " and ".join(f"'{mark}'" for mark in (*units, thousands) if mark)
    if not marks:
        return frame
    for name in frame.columns:
        if not _holds_only(frame[name], str):
            continue
        numbers = read_marked_numbers(frame[name], decimal, thousands, units)
        if numbers is not None:
            frame = frame.assign(**{str(name): numbers})
            notes.append(f"column '{name}': numbers without {marks}")
    return frame


def read_decimals(frame: pd.DataFrame, notes: list[str]) -> pd.DataFrame:
    """Decimals of a database, as Parquet carries them, become floats."""
    for name in frame.columns:
        if frame[name].dtype == object and _holds_only(frame[name], Decimal):
            frame = frame.assign(**{str(name): frame[name].astype(np.float64)})
            notes.append(f"column '{name}': decimals were read as floating-point numbers")
    return frame


def read_marked_numbers(
    texts: pd.Series, decimal: str, thousands: str | None, units: tuple[str, ...]
) -> pd.Series | None:
    """The texts as numbers once units and separators are off; None unless all of them are such.

    Separators must stand before groups of digits: 01.02.2024 is no number.
    """
    digits = texts.astype("string")
    for unit in units:
        digits = digits.str.replace(unit, "", regex=False)
    pattern = rf"\s*([+-]?)\s*({_match_whole(thousands)})(?:{re.escape(decimal)}(\d*))?\s*"
    parts = digits.str.extract(f"^{pattern}$")
    if not (parts[1].notna() == texts.notna()).all() or not texts.notna().any():
        return None
    whole = parts[1].str.replace(r"\D", "", regex=True)
    fraction = parts[2].fillna("")
    plain = parts[0] + whole + ("." + fraction).where(fraction != "", "")
    numbers = pd.to_numeric(plain)
    if pd.api.types.is_integer_dtype(numbers) and numbers.notna().all():
        return numbers.astype(np.int64)
    return pd.Series(numbers.to_numpy(np.float64, na_value=np.nan), texts.index)


def _holds_only(column: pd.Series, kind: type) -> bool:
    """True if every value that is not missing is of this type, and there is one."""
    return {type(value) for value in column.dropna()} == {kind}


def _match_whole(thousands: str | None) -> str:
    if not thousands:
        return r"\d+"
    mark = f"[{_BLANKS}]" if thousands in _BLANKS else re.escape(thousands)
    return rf"\d{{1,3}}(?:{mark}\d{{2,3}})*{mark}\d{{3}}|\d+"


def _explain_marks(name: str, marked: pd.Series) -> str:
    meaningful = marked[marked.str.contains(_MEANINGFUL_MARKS.pattern)]
    if len(meaningful):
        return (
            f"column '{name}' holds numbers such as '{meaningful.iloc[0]}', whose marks mean"
            " something; write negative numbers with a plain minus and bounds as numbers; if they"
            f" are names, --text {shlex.quote(name)}"
        )
    options = " ".join(_choose_options(marked)) or "--unit"
    return (
        f"column '{name}' holds numbers with a separator or a unit, such as '{marked.iloc[0]}';"
        f" read them with {options}; if they are names, --text {shlex.quote(name)}"
    )


def _choose_options(marked: pd.Series) -> list[str]:
    """For all of the texts: one may show the unit, another that a comma is a decimal one."""
    parts = marked.str.extract(f"^{_MARKED_NUMBER.pattern}$")
    shown = (
        pd.concat([parts["before"], parts["inner"], parts["after"]]).str.strip().drop_duplicates()
    )
    units = [unit for unit in shown.tolist() if unit]
    digits = marked
    for unit in units:
        digits = digits.str.replace(unit, "", regex=False)
    options = [f"--unit '{unit}'" for unit in units]
    return options + _choose_separators(digits.str.strip())


def _choose_separators(digits: pd.Series) -> list[str]:
    blanks = digits.str.contains(rf"\d[{_BLANKS}]\d").any()
    quotes = digits.str.extract(r"\d(['\u2019])\d")[0].dropna()
    points = digits.str.fullmatch(r"[+-]?\d{1,3}(\.\d{2,3})*\.\d{3}(,\d+)?").any()
    commas = digits.str.contains(",").any()
    if blanks:
        return ["--thousands ' '", *(["--decimal ,"] if commas else [])]
    if len(quotes):
        return [f'--thousands "{quotes.iloc[0]}"', *(["--decimal ,"] if commas else [])]
    if not commas:
        return ["--thousands ."] if points else []
    grouped = digits.str.fullmatch(r"[+-]?\d{1,3}(,\d{2,3})*,\d{3}(\.\d+)?")
    if grouped[digits.str.contains(",")].all():
        return ["--thousands ,"]
    return ["--thousands .", "--decimal ,"] if points else ["--decimal ,"]
