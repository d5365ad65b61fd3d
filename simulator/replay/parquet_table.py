"""A Parquet file as a table; pyarrow reads it, which the simulator's own environment lacks."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from simulator.contract.errors import ReplayError

_BATCH_ROWS: Final = 1000


class ParquetTable:
    """Only the columns that are asked for become Python values: others may be of any type."""

    def __init__(self, file: Any) -> None:
        self._file = file
        self.columns: Sequence[str] = file.schema_arrow.names

    def read(self, positions: Sequence[int]) -> Iterator[Sequence[Any]]:
        """A list or a structure in a cell is a Python list or dict."""
        for batch in self._file.iter_batches(batch_size=_BATCH_ROWS):
            columns = [batch.column(position).to_pylist() for position in positions]
            yield from zip(*columns, strict=True)


@contextmanager
def open_parquet(file: Path) -> Iterator[ParquetTable]:
    """Raises ReplayError where the file is no Parquet, or there is no pyarrow."""
    try:
        from pyarrow import ArrowException, parquet
    except ImportError:
        raise ReplayError(
            f"{file} needs pyarrow, which this environment lacks: run the simulator from .venv/dev,"
            ' or make it a CSV file: .venv/train/bin/python -c "import pandas;'
            f" pandas.read_parquet('{file.name}').to_csv('{file.stem}.csv.gz', index=False)\""
        ) from None
    try:
        with parquet.ParquetFile(file) as opened:
            yield ParquetTable(opened)
    # The last two: dates and times that Python has no value for.
    except (ArrowException, ValueError, OverflowError) as error:
        raise ReplayError(f"{file} cannot be read as a table: {error}") from None
