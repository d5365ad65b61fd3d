"""The rows of a replay: transactions with their times and true classes."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any, Final

from simulator.contract.errors import ReplayError
from simulator.contract.model_info import Feature, ModelInfo
from simulator.contract.vocabulary import FRAUD, LEGITIMATE
from simulator.replay.cells import (
    Place,
    Timestamp,
    is_compact_date,
    is_missing,
    parse_flag,
    parse_timestamp,
    parse_value,
)
from simulator.replay.replay import Replay
from simulator.replay.table import Table, find_column, open_table
from simulator.transactions.transaction import Transaction

_START: Final = Timestamp(-math.inf, False)


@dataclass(frozen=True, slots=True)
class ReplayRow:
    """One row; `time` None where the replay has no such column, `true_class` where it is empty."""

    transaction: Transaction
    time: Timestamp | None
    true_class: str | None


def read_replay_rows(info: ModelInfo, replay: Replay) -> Iterator[ReplayRow]:
    """Raises ReplayError naming file, row and column of the first cell that cannot be used.

    Every feature of the model must be a column, further columns are left out; an empty cell is
    sent as null, and a row without a true class gets no label.
    """
    with open_table(replay.file) as table:
        reader = _RowReader(info, replay, table)
        rows = enumerate(table.read(reader.positions))
        for number, cells in islice(rows, replay.first, replay.end):
            yield reader.read(number, cells)


def check_replay(
    info: ModelInfo, replay: Replay, is_stopped: Callable[[], bool] = lambda: False
) -> int:
    """Reads all of it once, so that nothing is sent of a table with faults; the number of rows,
    which are fewer where it `is_stopped`."""
    rows, compact_dates = 0, 0
    for row in read_replay_rows(info, replay):
        if is_stopped():
            return rows
        rows += 1
        compact_dates += row.time is not None and is_compact_date(row.time)
    if not rows:
        raise ReplayError(f"{replay.file} holds no rows from {replay.first} on")
    if rows == compact_dates > 1:
        raise ReplayError(
            f"{replay.file}: {replay.time_column} looks like dates without hyphens, which would"
            " be read as seconds; write them as 2024-01-31"
        )
    return rows


class _RowReader:
    """Reads one row after the other; holds the times to ascend and to be all of one kind."""

    def __init__(self, info: ModelInfo, replay: Replay, table: Table) -> None:
        self._features: Sequence[Feature] = info.features
        self._replay = replay
        self._before = _START
        columns = [feature.name for feature in info.features]
        columns += [name for name in (replay.time_column, replay.label_column) if name is not None]
        self.positions = [find_column(table, name, replay.file) for name in columns]

    def read(self, number: int, cells: Sequence[Any]) -> ReplayRow:
        """The cells are those of the features, then the time's and the label's."""
        row = f"{self._replay.file}, row {number}:"
        left = iter(cells)
        transaction: Transaction = {
            feature.name: parse_value(next(left), feature, Place(row, feature.name))
            for feature in self._features
        }
        time = None
        if self._replay.time_column is not None:
            time = self._read_time(next(left), Place(row, self._replay.time_column))
        true_class = None
        if self._replay.label_column is not None:
            true_class = _read_class(next(left), Place(row, self._replay.label_column))
        return ReplayRow(transaction, time, true_class)

    def _read_time(self, cell: Any, place: Place) -> Timestamp:
        time = parse_timestamp(None if is_missing(cell) else cell, place)
        if self._before is not _START and time.is_date != self._before.is_date:
            kind = "a date" if self._before.is_date else "seconds"
            raise place.build_error(f"{kind}, as in the row before", cell)
        if time.seconds < self._before.seconds:
            raise ReplayError(f"{place.row} {place.column} goes back in time; sort the file by it")
        self._before = time
        return time


def _read_class(cell: Any, place: Place) -> str | None:
    if is_missing(cell):
        return None
    return FRAUD if parse_flag(cell, place) else LEGITIMATE
