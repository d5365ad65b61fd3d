"""A table of anybody's own, CSV or Parquet, as a dataset.

What is done to it is said in the dataset's notes, and so in the model's card. What would need a
guess is refused in one sentence that says how to go on.
"""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import numpy as np
import pandas as pd

from model.data.dataset import (
    MOST_CATEGORIES,
    SYNTHETIC_COLUMNS,
    SYNTHETIC_USER_TYPES,
    Column,
    Dataset,
    Floats,
    Labels,
)
from model.data.files import Reading, Table, read_table, require_columns
from model.data.labels import read_labels
from model.data.questions import question_column
from model.data.schema import encode_column, infer_column
from model.data.split import Holdout, Split, split_by_time
from model.data.times import read_times
from model.serving.card import hash_file
from model.serving.errors import ModelError

_SYNTHETIC_NAMES: Final = {column.name for column in SYNTHETIC_COLUMNS}


@dataclass(frozen=True)
class Layout:
    """Which columns are what, and how the rows are split; times in seconds.

    `value`: the column that is the transaction's value; else the first that is called amount.
    `whole`: every row describes and judges alike, and no column is left out as constant: the
    sample of a model that is not trained here. `only`: the columns that such a model looks at, if
    it knows their names. `refit`: the holdout describes, too, for a model that is fitted to it in
    the end. `positive`: the label of fraud where they are not 0 and 1. `text`: columns whose texts
    are names even where they look like numbers.
    """

    target: str
    time: str | None = None
    drop: tuple[str, ...] = ()
    value: str | None = None
    label_delay: float = 0.0
    holdout: Holdout = field(default_factory=Holdout)
    whole: bool = False
    refit: bool = False
    only: tuple[str, ...] | None = None
    positive: str | None = None
    time_format: str | None = None
    text: tuple[str, ...] = ()
    most_categories: int = MOST_CATEGORIES
    reading: Reading = field(default_factory=Reading)


def load_dataset(path: Path, layout: Layout) -> Dataset:
    """The file as a dataset in time order; a ModelError says what stands against it."""
    table = read_table(path, layout.reading)
    return build_dataset(table, layout, source=path.name, sha256=hash_file(path))


def build_dataset(table: Table, layout: Layout, source: str, sha256: str) -> Dataset:
    """Schema and bounds come from the rows that may be trained on, never from the holdout."""
    frame, notes = table.frame, list(table.notes)
    require_columns(frame, [layout.target, *filter(None, [layout.time, layout.value])])
    require_columns(frame, layout.drop)
    frame = _choose_columns(frame, layout, notes)
    notes.extend(_note_duplicates(frame))
    frame, target = read_labels(frame, layout.target, layout.positive, notes)
    time = None
    if layout.time is not None:
        frame, target, time = _sort_by_time(frame, target, layout.time, layout.time_format)
    split = _split_rows(len(frame), time, layout, notes)
    names = [str(name) for name in frame.columns if name not in _names_apart(layout)]
    described = frame if layout.refit else frame.iloc[split.known]
    if not layout.whole:
        names = _drop_constants(described, names, notes)
    columns = _infer_columns(described, names, layout, notes)
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
        times=time,
    )


def _names_apart(layout: Layout) -> set[str]:
    """Columns that are no features, although they may be in `only`."""
    apart = {layout.target, *([] if layout.time is None else [layout.time])}
    return apart - set(layout.only or ()) | {layout.target}


def _choose_columns(frame: pd.DataFrame, layout: Layout, notes: list[str]) -> pd.DataFrame:
    """Without what was left out, and what the model does not look at; label and time stay."""
    if layout.only is not None:
        wanted = {_find_name(frame, name, notes): name for name in layout.only}
        kept = [name for name in frame.columns if name in wanted or name in _names_apart(layout)]
        frame = frame[kept].rename(columns=wanted)
    apart = _names_apart(layout)
    frame = frame[[name for name in frame.columns if name not in layout.drop or name in apart]]
    for name in frame.columns:
        found = {type(value).__name__ for value in frame[name].dropna().head(1000)}
        strange = found & {"list", "ndarray", "dict", "tuple", "set", "bytes"}
        if strange:
            raise ModelError(
                f"column '{name}' holds {strange.pop()} values, not numbers, texts or true/false;"
                f" leave it out with --drop {shlex.quote(str(name))}"
            )
    return frame


def _find_name(frame: pd.DataFrame, name: str, notes: list[str]) -> str:
    """The file's column of this name; LightGBM writes blanks in names as underscores."""
    if name in frame.columns:
        return name
    alike = [str(one) for one in frame.columns if re.sub(r"\s", "_", str(one)) == name]
    if len(alike) != 1:
        raise ModelError(f"the sample has no column '{name}', which the model was fitted on")
    notes.append(f"column '{alike[0]}' was taken for the model's '{name}'")
    return alike[0]


def _note_duplicates(frame: pd.DataFrame) -> list[str]:
    duplicates = int(frame.duplicated().sum())
    if not duplicates:
        return []
    return [f"{duplicates:,} rows repeat another one in every column; they were kept"]


def _sort_by_time(
    frame: pd.DataFrame, target: Labels, name: str, format: str | None
) -> tuple[pd.DataFrame, Labels, Floats]:
    seconds = read_times(frame[name], format)
    order = np.argsort(seconds, kind="stable")
    return frame.iloc[order], target[order], seconds[order]


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
        use = "for the last fit alone" if layout.refit else "for nothing"
        notes.append(f"{split.unlabelled:,} rows inside the label delay were used {use}")
    return split


def _drop_constants(known: pd.DataFrame, names: list[str], notes: list[str]) -> list[str]:
    varying = [name for name in names if known[name].nunique(dropna=False) > 1]
    for name in names:
        if name not in varying:
            notes.append(f"column '{name}' is constant in the training rows and was left out")
    return varying


def _infer_columns(
    known: pd.DataFrame, names: list[str], layout: Layout, notes: list[str]
) -> tuple[Column, ...]:
    columns = [
        infer_column(name, known[name], layout.most_categories, name in layout.text)
        for name in names
    ]
    if not columns:
        raise ModelError("no column is left to learn from")
    notes.extend(note for column in columns for note in question_column(column, known[column.name]))
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
