"""A CSV or Parquet file as a table, read row by row: never the whole file in memory.

What a file is follows from its content before its name: a gzip file by any name, a byte order mark,
UTF-16, and the separators comma, semicolon, tab and bar are understood.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, Protocol

from simulator.contract.errors import ReplayError
from simulator.replay.csv_table import open_csv
from simulator.replay.parquet_table import open_parquet

_PARQUET_MAGIC: Final = b"PAR1"
_ZIP_MAGIC: Final = b"PK\x03\x04"
_PARQUET_SUFFIXES: Final = (".parquet", ".pq")


class Table(Protocol):
    """A table whose cells are read in its rows' order, once."""

    @property
    def columns(self) -> Sequence[str]:
        """The names in the file's order; the same name may stand twice."""
        ...

    def read(self, positions: Sequence[int]) -> Iterator[Sequence[Any]]:
        """The cells of the columns at these positions, row by row; raises ReplayError."""
        ...


@contextmanager
def open_table(file: Path) -> Iterator[Table]:
    """Raises ReplayError where the file cannot be read as a table, also while it is read."""
    try:
        magic = _read_magic(file)
        if magic == _ZIP_MAGIC:
            raise ReplayError(f"{file} is a ZIP or Excel file: save its table as CSV")
        is_parquet = magic == _PARQUET_MAGIC or file.suffix.lower() in _PARQUET_SUFFIXES
        with open_parquet(file) if is_parquet else open_csv(file) as table:
            yield table
    except (OSError, EOFError) as error:
        raise ReplayError(f"{file} cannot be read as a table: {error}") from None


def find_column(table: Table, name: str, file: Path) -> int:
    """The position of a column; raises ReplayError where it is missing or stands twice.

    Blanks around a name in the file do not matter where no name is exactly the same.
    """
    for names in (table.columns, [column.strip() for column in table.columns]):
        positions = [position for position, column in enumerate(names) if column == name]
        if len(positions) > 1:
            raise ReplayError(f"{file} has {len(positions)} columns '{name}': rename all but one")
        if positions:
            return positions[0]
    known = ", ".join(table.columns)
    raise ReplayError(f"{file} has no column '{name}'; its columns are {known:.500}")


def _read_magic(file: Path) -> bytes:
    # A Parquet file that is not there is still told which reader it would need.
    if not file.exists() and file.suffix.lower() in _PARQUET_SUFFIXES:
        return _PARQUET_MAGIC
    with file.open("rb") as content:
        return content.read(4)
