"""A table of anybody's own, CSV or Parquet, as a dataset.

What is done to it is said in the dataset's notes, and so in the model's card. What would need a
guess is refused in one sentence that says how to go on.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import numpy as np
import pandas as pd

from model.data.dataset import (
    SYNTHETIC_COLUMNS,
    SYNTHETIC_USER_TYPES,
    Column,
    Dataset,
    Floats,
    Labels,
)
from model.data.schema import encode_column, infer_column
from model.data.split import Holdout, Split, split_by_time
from model.serving.card import hash_file
from model.serving.errors import ModelError, first_line

_READERS: Final[dict[str, Callable[[Path], pd.DataFrame]]] = {
    ".csv": pd.read_csv,
    ".csv.gz": pd.read_csv,
    ".parquet": pd.read_parquet,
    ".pq": pd.read_parquet,
}
_SYNTHETIC_NAMES: Final = {column.name for column in SYNTHETIC_COLUMNS}


@dataclass(frozen=True)
class Layout:
    """Which columns are what, and how the rows are split; times in seconds.

    `value`: the column that is the transaction's value; else the first that is called amount.
    `whole`: every row describes and judges alike, and no column is left out as constant: the
    sample of a model that is not trained here.
    """

    target: str
    time: str | None = None
    drop: tuple[str, ...] = ()
    value: str | None = None
    label_delay: float = 0.0
    holdout: Holdout = field(default_factory=Holdout)
    whole: bool = False


def read_table(path: Path) -> pd.DataFrame:
    """All rows of a CSV (also .gz) or Parquet file, in the file's order."""
    name = path.name.lower()
    reader = next((read for ending, read in _READERS.items() if name.endswith(ending)), None)
    if reader is None:
        raise ModelError(f"{path} is neither .csv, .csv.gz nor .parquet")
    if not path.is_file():
        raise ModelError(f"there is no file {path}")
    try:
        frame = reader(path)
    except Exception as error:  # The readers' errors share no base class; all mean the same here.
        raise ModelError(f"{path} cannot be read as a table: {first_line(error)}") from error
    if not len(frame):
        raise ModelError(f"{path} holds no rows")
    return frame


def load_dataset(path: Path, layout: Layout) -> Dataset:
    """The file as a dataset in time order; a ModelError says what stands against it."""
    return build_dataset(read_table(path), layout, source=path.name, sha256=hash_file(path))


def build_dataset(frame: pd.DataFrame, layout: Layout, source: str, sha256: str) -> Dataset:
    """Schema and bounds come from the rows that may be trained on, never from the holdout."""
    require_columns(frame, [layout.target, *filter(None, [layout.time, layout.value])])
    require_columns(frame, layout.drop)
    notes = _note_duplicates(frame)
    frame, target = read_labels(frame, layout.target, notes)
    time = None
    if layout.time is not None:
        frame, target, time = _sort_by_time(frame, target, layout.time)
    split = _split_rows(len(frame), time, layout, notes)
    left_out = {layout.target, layout.time, *layout.drop}
    names = [str(name) for name in frame.columns if name not in left_out]
    if not layout.whole:
        names = _drop_constants(frame.iloc[split.known], names, notes)
    columns = _infer_columns(frame.iloc[split.known], names, notes)
    is_synthetic = {column.name for column in columns} == _SYNTHETIC_NAMES
    if is_synthetic:
        notes.append("the columns are the synthetic set's: its ranges and customer types are used")
        columns = SYNTHETIC_COLUMNS
    features = _encode_features(frame, columns, split, notes)
    value_column = _choose_value_column(columns, layout.value, notes)
    return Dataset(
        columns=columns,
        features=features,
        target=target,
        split=split,
        target_name=layout.target,
        source=source,
        sha256=sha256,
        notes=tuple(notes),
        user_types=SYNTHETIC_USER_TYPES if is_synthetic else None,
        value_column=value_column,
    )


def require_columns(frame: pd.DataFrame, names: list[str] | tuple[str, ...]) -> None:
    """A ModelError that names the first column that is not there, and those that are."""
    for name in names:
        if name not in frame.columns:
            known = ", ".join(str(column) for column in frame.columns[:40])
            raise ModelError(f"there is no column '{name}'; the columns are {known}")


def read_labels(frame: pd.DataFrame, target: str, notes: list[str]) -> tuple[pd.DataFrame, Labels]:
    """The rows whose label is known, and their labels as 0 and 1."""
    known = frame[target].notna()
    if not known.all():
        notes.append(f"{int((~known).sum()):,} rows without a label were left out")
        frame = frame[known]
    values = frame[target]
    classes = sorted(values.unique().tolist(), key=str)
    if not set(classes) <= {0, 1}:
        shown = ", ".join(repr(value) for value in classes[:5])
        raise ModelError(f"column '{target}' must hold 0 (legitimate) and 1 (fraud), not {shown}")
    if len(classes) < 2:
        raise ModelError(f"column '{target}' holds only {classes}; both 0 and 1 are needed")
    return frame, values.to_numpy().astype(np.int8)


def _note_duplicates(frame: pd.DataFrame) -> list[str]:
    duplicates = int(frame.duplicated().sum())
    if not duplicates:
        return []
    return [f"{duplicates:,} rows repeat another one in every column; they were kept"]


def _sort_by_time(
    frame: pd.DataFrame, target: Labels, name: str
) -> tuple[pd.DataFrame, Labels, Floats]:
    seconds = read_times(frame[name])
    order = np.argsort(seconds, kind="stable")
    return frame.iloc[order], target[order], seconds[order]


def read_times(column: pd.Series) -> Floats:
    """Seconds: numbers as they are, dates and their texts since 1970."""
    missing = int(column.isna().sum())
    if missing:
        raise ModelError(f"time column '{column.name}' has {missing:,} missing values")
    if pd.api.types.is_numeric_dtype(column):
        return np.asarray(column, dtype=np.float64)
    try:
        moments = pd.to_datetime(column, utc=True)
    except (ValueError, TypeError) as error:
        raise ModelError(
            f"time column '{column.name}' holds neither numbers nor dates: {first_line(error)}"
        ) from error
    return np.asarray((moments - pd.Timestamp(0, tz="UTC")).dt.total_seconds(), dtype=np.float64)


def _split_rows(rows: int, time: Floats | None, layout: Layout, notes: list[str]) -> Split:
    if layout.whole:
        every = slice(0, rows)
        return Split(every, every, every, 0)
    if time is None:
        if layout.label_delay or layout.holdout.seconds is not None:
            raise ModelError("a label delay or a holdout in time needs a time column (--time)")
        notes.append("no time column: the order of the rows was taken for the order of time")
        time = np.arange(rows, dtype=np.float64)
    split = split_by_time(time, label_delay=layout.label_delay, holdout=layout.holdout)
    if split.unlabelled:
        notes.append(f"{split.unlabelled:,} rows inside the label delay were used for nothing")
    return split


def _drop_constants(known: pd.DataFrame, names: list[str], notes: list[str]) -> list[str]:
    varying = [name for name in names if known[name].nunique(dropna=False) > 1]
    for name in names:
        if name not in varying:
            notes.append(f"column '{name}' is constant in the training rows and was left out")
    return varying


def _infer_columns(known: pd.DataFrame, names: list[str], notes: list[str]) -> tuple[Column, ...]:
    columns = [infer_column(name, known[name]) for name in names]
    if not columns:
        raise ModelError("no column is left to learn from")
    nullable = [column.name for column in columns if column.nullable]
    if nullable:
        notes.append("null stands for missing values in: " + ", ".join(nullable))
    return tuple(columns)


def _encode_features(
    frame: pd.DataFrame, columns: tuple[Column, ...], split: Split, notes: list[str]
) -> Floats:
    features = np.column_stack([encode_column(column, frame[column.name]) for column in columns])
    later = features[split.known.stop :]
    for index, column in enumerate(columns):
        unseen = int(np.sum(later[:, index] < 0)) if column.type == "category" else 0
        if unseen:
            notes.append(
                f"{unseen:,} later rows have a '{column.name}' that was never trained on;"
                " a request with it is refused"
            )
    return features


def _choose_value_column(
    columns: tuple[Column, ...], stated: str | None, notes: list[str]
) -> str | None:
    numeric = [column.name for column in columns if column.type in ("number", "integer")]
    if stated is not None:
        if stated not in numeric:
            raise ModelError(f"the value column '{stated}' is not a feature that is a number")
        return stated
    for name in numeric:
        if name.lower() == "amount" or name.lower().endswith("_amount"):
            notes.append(f"column '{name}' was taken for the transaction's value")
            return name
    return None
