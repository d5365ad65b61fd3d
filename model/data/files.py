"""Reading a CSV or Parquet file as a table: nothing shifted, renamed or made missing unsaid.

What was done is said in notes. What would need a guess is refused with the option that settles it.
"""

from __future__ import annotations

import codecs
import csv
import gzip
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import IO, Any, Final

import pandas as pd

from model.data.marked_numbers import convert_marked_numbers, read_decimals
from model.serving.errors import ModelError, first_line

_SEPARATORS: Final = (";", "\t", "|")
_FORMATS: Final = (".csv", ".csv.gz", ".parquet", ".pq")
# What pandas takes for missing, beside an empty field.
_MISSING_WORDS: Final = frozenset(
    [
        "#N/A",
        "#N/A N/A",
        "#NA",
        "-1.#IND",
        "-1.#QNAN",
        "-NaN",
        "-nan",
        "1.#IND",
        "1.#QNAN",
        "<NA>",
        "N/A",
        "NA",
        "NULL",
        "NaN",
        "None",
        "n/a",
        "nan",
        "null",
    ]
)
_NUMBER: Final = re.compile(r"[+-]?\d+([.,]\d*)?([eE][+-]?\d+)?")
_PLAIN_MISSING: Final = frozenset({"NaN", "nan", "-NaN", "-nan", "<NA>"})


@dataclass(frozen=True)
class Reading:
    """How a CSV file is written. `missing`: the words that stand for a missing value, None for
    those that pandas knows. `units`: texts around numbers that are taken off, such as $ or %."""

    separator: str = ","
    encoding: str = "utf-8"
    decimal: str = "."
    thousands: str | None = None
    missing: tuple[str, ...] | None = None
    units: tuple[str, ...] = ()


@dataclass(frozen=True)
class Table:
    """A file's rows, in its order, and what was done to them."""

    frame: pd.DataFrame
    notes: tuple[str, ...]


def read_table(path: Path, reading: Reading = Reading()) -> Table:
    """All rows of a CSV (also .gz) or Parquet file; a ModelError says what stands against it."""
    name = path.name.lower()
    if not name.endswith(_FORMATS):
        raise ModelError(f"{path} is neither .csv, .csv.gz nor .parquet")
    if not path.is_file():
        raise ModelError(f"there is no file {path}")
    if reading.thousands == reading.decimal:
        raise ModelError(f"'{reading.decimal}' cannot be --decimal and --thousands at once")
    try:
        frame, notes = _read_csv(path, reading) if ".csv" in name else (pd.read_parquet(path), [])
    except ModelError:
        raise
    except UnicodeError as error:
        raise ModelError(_explain_encoding(path)) from error
    except Exception as error:  # The readers' errors share no base class; all mean the same here.
        raise ModelError(f"{path} cannot be read as a table: {first_line(error)}") from error
    if not len(frame):
        raise ModelError(f"{path} holds no rows")
    frame = _drop_nameless(frame, notes)
    frame = read_decimals(frame, notes)
    marks = (reading.decimal, reading.thousands, reading.units)
    frame = convert_marked_numbers(frame, *marks, notes)
    return Table(frame, tuple(notes))


def require_columns(frame: pd.DataFrame, names: list[str] | tuple[str, ...]) -> None:
    """A ModelError that names the first column that is not there, and those that are."""
    for name in names:
        if name not in frame.columns:
            known = ", ".join(str(column) for column in frame.columns[:40])
            raise ModelError(f"there is no column '{name}'; the columns are {known}")


def _read_csv(path: Path, reading: Reading) -> tuple[pd.DataFrame, list[str]]:
    notes: list[str] = []
    names, ends_in_separator = _check_shape(path, reading, notes)
    options: dict[str, Any] = {
        "sep": reading.separator,
        "encoding": reading.encoding,
        "decimal": reading.decimal,
        "header": 0,
        "names": [*names, ""] if ends_in_separator else names,
        "index_col": False,
        "low_memory": False,
    }
    if ends_in_separator:
        options["usecols"] = range(len(names))
    if reading.missing is not None:
        options |= {"keep_default_na": False, "na_values": ["", *reading.missing]}
    frame = pd.read_csv(path, **options)
    if reading.missing is None:
        notes.extend(_note_missing_words(path, frame, options))
    return frame, notes


def _check_shape(path: Path, reading: Reading, notes: list[str]) -> tuple[list[str], bool]:
    """The header's names, and whether every row ends in a separator; every row is as long as it."""
    with _open_text(path, reading) as file:
        header = next(csv.reader([file.readline()], delimiter=reading.separator), [])
        names = _check_names(path, header, notes)
        _check_separator(path, names, reading)
        rows, longer = 0, 0
        for line, fields, ends_blank in _measure_lines(file, reading.separator):
            rows += 1
            if fields == len(names) + 1 and ends_blank:
                longer += 1
            elif fields != len(names):
                raise ModelError(
                    f"{path} cannot be read as a table: line {line} has {fields} fields, the"
                    f" header {len(names)}; a text that holds the separator must stand in quotes"
                )
    if longer and longer != rows:
        raise ModelError(
            f"{path} cannot be read as a table: {longer:,} of {rows:,} rows end in"
            f" '{reading.separator}' and so have a field more than the header"
        )
    if longer:
        notes.append("every row ends in a separator that the header does not have: it was ignored")
    return names, bool(longer)


def _open_text(path: Path, reading: Reading) -> IO[str]:
    encoding = "utf-8-sig" if reading.encoding.lower() in ("utf-8", "utf8") else reading.encoding
    if path.name.lower().endswith(".gz"):
        return gzip.open(path, "rt", encoding=encoding, newline="")
    return path.open(encoding=encoding, newline="")


def _measure_lines(file: IO[str], separator: str) -> Iterator[tuple[int, int, bool]]:
    """Of each row below the header: its line, how many fields, whether the last one is blank.

    Separators are counted, five times faster than fields are split, up to the first quote.
    """
    for number, line in enumerate(file, start=2):
        if '"' in line:
            rows = csv.reader(chain([line], file), delimiter=separator)
            for fields in rows:
                if fields:
                    yield number - 1 + rows.line_num, len(fields), not fields[-1].strip()
            return
        text = line.rstrip("\r\n")
        if text:
            yield number, text.count(separator) + 1, not text.rsplit(separator, 1)[-1].strip()


def _check_header(path: Path, header: list[str]) -> None:
    """The first line must be one of names."""
    if not header:
        raise ModelError(f"{path} cannot be read as a table: it is empty")
    if any("\0" in name for name in header):
        raise ModelError(_explain_encoding(path))
    if header[0].startswith("sep="):
        raise ModelError(
            f"{path} begins with the line '{','.join(header)}', which only Excel reads; delete"
            f" that line and say --separator '{header[0][4:5] or ','}'"
        )
    if len(header) > 1 and all(_NUMBER.fullmatch(name.strip()) for name in header):
        raise ModelError(
            f"{path} cannot be read as a table: it begins with a line of numbers, not of names"
        )


def _check_names(path: Path, header: list[str], notes: list[str]) -> list[str]:
    _check_header(path, header)
    names = [name.strip() for name in header]
    stripped = [name for name, given in zip(names, header, strict=True) if name != given]
    if stripped:
        notes.append("blanks around the names of columns were taken off: " + ", ".join(stripped))
    for name, count in Counter(names).items():
        if count > 1:
            places = ", ".join(str(place + 1) for place, one in enumerate(names) if one == name)
            called = f"are called '{name}'" if name else "have no name"
            raise ModelError(
                f"{path} cannot be read as a table: columns {places} {called};"
                " give each its own name"
            )
    return [name or f"Unnamed: {place}" for place, name in enumerate(names)]


def _check_separator(path: Path, names: list[str], reading: Reading) -> None:
    if len(names) != 1:
        return
    for separator in _SEPARATORS:
        if separator in names[0] and separator != reading.separator:
            shown = "tab" if separator == "\t" else f"'{separator}'"
            raise ModelError(
                f"{path} has a single column '{names[0][:60]}': its fields look separated by"
                f" {shown}; read them with --separator {shown}"
            )


def _explain_encoding(path: Path) -> str:
    with path.open("rb") as file:
        start = file.read(1000)
    if start.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return f"{path} looks like UTF-16; read it with --encoding utf-16"
    if b"\0" in start:
        order = "be" if start.startswith(b"\0") else "le"
        return f"{path} looks like UTF-16; read it with --encoding utf-16-{order}"
    return (
        f"{path} is not in UTF-8; if it comes from Windows or an older program, read it with"
        " --encoding latin-1 (or cp1252)"
    )


def _note_missing_words(path: Path, frame: pd.DataFrame, options: dict[str, Any]) -> list[str]:
    """Words among texts that were read as missing and may be meant: NA is a country, too."""
    texts = [
        name
        for name in frame.columns
        if frame[name].isna().any() and not pd.api.types.is_numeric_dtype(frame[name])
    ]
    if not texts:
        return []
    raw = pd.read_csv(path, **options | {"usecols": texts, "dtype": str, "keep_default_na": False})
    notes = []
    for name in texts:
        words = raw[name][raw[name].isin(_MISSING_WORDS - _PLAIN_MISSING)].value_counts()
        if len(words):
            shown = ", ".join(f"'{word}' {count:,} times" for word, count in words.items())
            notes.append(
                f"column '{name}': {shown} was read as missing; if it is a value, say which words"
                " mean missing: --missing WORD (or --missing '' for none)"
            )
    return notes


def _drop_nameless(frame: pd.DataFrame, notes: list[str]) -> pd.DataFrame:
    """Without columns that have no name and count the rows, or are empty: programs write such."""
    for name in [str(one) for one in frame.columns if str(one).startswith("Unnamed: ")]:
        values = frame[name]
        if values.isna().all():
            notes.append(f"a column without a name ('{name}') is empty and was left out")
            frame = frame.drop(columns=name)
            continue
        counts = pd.api.types.is_integer_dtype(values) and bool((values.diff().iloc[1:] == 1).all())
        if not counts:
            raise ModelError(
                f"column {frame.columns.get_loc(name) + 1} has no name; give it one"  # type: ignore[operator]
            )
        notes.append(f"the column without a name ('{name}') numbers the rows and was left out")
        frame = frame.drop(columns=name)
    return frame
