"""The rows of a table as traffic: in their order and at their pace, each with its own truth."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from itertools import islice
from pathlib import Path
from typing import Any, Final

from simulator.contract.errors import TargetError
from simulator.contract.model_info import Feature, ModelInfo
from simulator.replay.table import cell_of, read_rows
from simulator.traffic.delayed_labels import FRAUD, LEGITIMATE, Labels, PlannedLabel, planned_labels
from simulator.traffic.invalid_requests import encode
from simulator.traffic.request_plan import VALID, Pace, PlannedRequest, stream
from simulator.transactions.marginal_source import Transaction, Value

_TRUE: Final = frozenset({"1", "1.0", "true", FRAUD})
_FALSE: Final = frozenset({"0", "0.0", "false", LEGITIMATE})


@dataclass(frozen=True)
class Replay:
    """Which rows of `file` are sent, from `first` up to but not including `end`, counted from 0.

    `target`: the column of the truth, None where nothing is known. `time`: the column of the
    moment, ascending seconds or dates; None: the rows have the pace of the command line. `speed`:
    so many times as fast as it was.
    """

    file: Path
    target: str | None = None
    time: str | None = None
    speed: float = 1.0
    first: int = 0
    end: int | None = None


@dataclass(frozen=True)
class Record:
    """One row; `moment` in seconds where the time is told, `truth` None where it is not."""

    transaction: Transaction
    moment: float | None
    truth: str | None


def read_records(info: ModelInfo, replay: Replay) -> Iterator[Record]:
    """Raises TargetError naming file, row and column of the first cell that cannot be used.

    Every feature of the model must be a column, further columns are left out; an empty cell is
    sent as null, and without truth there is no label.
    """
    before = -math.inf
    rows = islice(enumerate(read_rows(replay.file)), replay.first, replay.end)
    for number, row in rows:
        place = f"{replay.file}, row {number}:"
        cells = {f.name: cell_of(row, f.name, replay.file) for f in info.features}
        moment = None
        if replay.time is not None:
            moment = _moment(cell_of(row, replay.time, replay.file), replay.time, place)
            if moment < before:
                raise TargetError(f"{place} {replay.time} goes back in time; sort the file by it")
            before = moment
        transaction = {f.name: _value(cells[f.name], f, place) for f in info.features}
        yield Record(transaction, moment, _truth_of(row, replay, place))


def check_replay(info: ModelInfo, replay: Replay) -> int:
    """Reads all of it once, so that nothing is sent of a table with faults; the number of rows."""
    rows = sum(1 for _ in read_records(info, replay))
    if not rows:
        raise TargetError(f"{replay.file} holds no rows from {replay.first} on")
    return rows


def replay_requests(
    info: ModelInfo, seed: int, pace: Pace, replay: Replay, labels: Labels | None
) -> Iterator[PlannedRequest]:
    """A request for each row, its label after the delay that `labels` says, whatever `speed`."""
    return islice(_requests(info, seed, pace, replay, labels), pace.count)


def _requests(
    info: ModelInfo, seed: int, pace: Pace, replay: Replay, labels: Labels | None
) -> Iterator[PlannedRequest]:
    arrivals = pace.arrivals(seed)
    delays = planned_labels(labels or Labels(0), stream(seed, "labels"))
    began: float | None = None
    for number, record in enumerate(read_records(info, replay)):
        if record.moment is None:
            at = next(arrivals, math.inf)
        else:
            began = record.moment if began is None else began
            at = (record.moment - began) / replay.speed
        if at == math.inf or at >= (pace.duration or math.inf):
            return
        delay, chance, _ = next(delays)
        label = None
        if labels is not None and delay is not None and record.truth is not None:
            label = PlannedLabel(delay, record.truth, chance)
        yield PlannedRequest(number, at, encode(record.transaction), 0, VALID, 200, None, label)


def _value(cell: Any, feature: Feature, place: str) -> Value:
    if cell is None:
        return None
    if feature.type == "category":
        return str(cell)
    if feature.type == "boolean":
        return _truth(cell, feature.name, place)
    try:
        number = float(cell)
    except (TypeError, ValueError):
        number = math.nan
    if not math.isfinite(number):
        raise TargetError(f"{place} {feature.name} must be a number, got {cell!r:.60}")
    whole = feature.type == "integer" and number == int(number)
    return int(number) if whole else number


def _truth_of(row: Any, replay: Replay, place: str) -> str | None:
    if replay.target is None:
        return None
    cell = cell_of(row, replay.target, replay.file)
    if cell is None:
        return None
    return FRAUD if _truth(cell, replay.target, place) else LEGITIMATE


def _truth(cell: Any, column: str, place: str) -> bool:
    text = str(cell).strip().lower()
    if text in _TRUE or text in _FALSE:
        return text in _TRUE
    raise TargetError(f"{place} {column} must be 0 or 1, false or true, got {cell!r:.60}")


def _moment(cell: Any, column: str, place: str) -> float:
    """Seconds since some beginning; dates without a zone are UTC."""
    moment = cell
    if isinstance(cell, str):
        moment = _parsed(cell.strip())
    if isinstance(moment, date) and not isinstance(moment, datetime):
        moment = datetime(moment.year, moment.month, moment.day)
    if isinstance(moment, datetime):
        return moment.replace(tzinfo=moment.tzinfo or UTC).timestamp()
    if isinstance(moment, int | float) and math.isfinite(moment):
        return float(moment)
    raise TargetError(f"{place} {column} must be seconds or a date, got {cell!r:.60}")


def _parsed(text: str) -> float | datetime | None:
    try:
        return float(text)
    except ValueError:
        pass
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return None
