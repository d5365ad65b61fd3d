"""Rows of a CSV, CSV.gz or Parquet file, one after the other: never the whole file in memory."""

from __future__ import annotations

import csv
import gzip
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final, TextIO, cast

from simulator.contract.errors import TargetError

# What stands for no value; model training reads its files so too.
_NOTHING: Final = frozenset({"", "na", "n/a", "#n/a", "nan", "-nan", "null", "none", "<na>"})

Row = Mapping[str, Any]


def read_rows(file: Path) -> Iterator[Row]:
    """Column name to cell, text in CSV; raises TargetError where the file cannot be read."""
    try:
        yield from _parquet(file) if file.suffix == ".parquet" else _csv(file)
    except (OSError, EOFError, UnicodeDecodeError, csv.Error) as error:
        raise TargetError(f"{file} cannot be read as a table: {error}") from None


def cell_of(row: Row, column: str, file: Path) -> Any:
    """The value, or None where there is none; raises TargetError for a column that is not there."""
    if column not in row:
        known = ", ".join(str(name) for name in row if name is not None)
        raise TargetError(f"{file} has no column '{column}'; its columns are {known:.500}")
    value = row[column]
    return None if value is None or str(value).strip().lower() in _NOTHING else value


def _csv(file: Path) -> Iterator[Row]:
    with _opened(file) as lines:
        for row in csv.DictReader(lines):
            yield cast(Row, row)


def _opened(file: Path) -> TextIO:
    if file.suffix == ".gz":
        return cast(TextIO, gzip.open(file, "rt", encoding="utf-8-sig", newline=""))
    return file.open(encoding="utf-8-sig", newline="")


def _parquet(file: Path) -> Iterator[Row]:
    try:
        from pyarrow import ArrowException, parquet
    except ImportError:
        raise TargetError(
            f"{file} needs pyarrow, which this environment lacks: run the simulator from .venv/dev,"
            ' or make it a CSV file: .venv/train/bin/python -c "import pandas;'
            f" pandas.read_parquet('{file.name}').to_csv('{file.stem}.csv.gz', index=False)\""
        ) from None
    try:
        with parquet.ParquetFile(file) as table:
            for batch in table.iter_batches(batch_size=1000):
                yield from batch.to_pylist()
    except ArrowException as error:
        raise TargetError(f"{file} cannot be read as a table: {error}") from None
