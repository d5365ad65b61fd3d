"""The labels of a table: which rows are fraud."""

from __future__ import annotations

from typing import Final

import numpy as np
import pandas as pd

from model.data.dataset import Labels
from model.serving.errors import ModelError

_POSITIVE_WORDS: Final = ("fraud", "yes", "y", "true", "t", "positive", "bad")


def read_labels(
    frame: pd.DataFrame, target: str, positive: str | None, notes: list[str]
) -> tuple[pd.DataFrame, Labels]:
    """The rows whose label is known, and their labels as 0 and 1.

    `positive`: the label that is fraud, where they are not 0 and 1.
    """
    known = frame[target].notna()
    if not known.all():
        notes.append(f"{int((~known).sum()):,} rows without a label were left out")
        frame = frame[known]
    values = frame[target]
    classes = sorted(values.unique().tolist(), key=str)
    if positive is not None:
        return frame, _compare_with(values, classes, target, positive, notes)
    if not set(classes) <= {0, 1}:
        raise ModelError(_ask_for_positive(values, classes, target))
    if len(classes) < 2:
        raise ModelError(f"column '{target}' holds only {classes}; both 0 and 1 are needed")
    return frame, values.to_numpy().astype(np.int8)


def _compare_with(
    values: pd.Series, classes: list[object], target: str, positive: str, notes: list[str]
) -> Labels:
    texts = values.map(_write_label)
    shown = ", ".join(_write_label(label) for label in classes[:5])
    if pd.api.types.is_bool_dtype(values):
        positive = positive.capitalize()
    if positive not in set(texts):
        raise ModelError(f"column '{target}' holds no '{positive}' (--positive) but {shown}")
    if len(classes) != 2:
        raise ModelError(
            f"column '{target}' must hold two labels, not {len(classes)}: {shown}; a label that"
            " means 'not known' is read as missing with --missing LABEL"
        )
    notes.append(f"fraud is '{positive}' in column '{target}', all others are legitimate")
    return (texts == positive).to_numpy().astype(np.int8)


def _ask_for_positive(values: pd.Series, classes: list[object], target: str) -> str:
    shown = ", ".join(repr(label) for label in classes[:5])
    sentence = f"column '{target}' must hold 0 (legitimate) and 1 (fraud), not {shown}"
    if len(classes) != 2:
        return (
            f"{sentence}; say which one is fraud with --positive LABEL, and which ones mean 'not"
            " known' with --missing LABEL"
        )
    texts = [_write_label(label) for label in classes]
    words = [text for text in texts if text.lower() in _POSITIVE_WORDS]
    rarer = _write_label(values.value_counts().index[-1])
    return (
        f"{sentence}; say which one is fraud: --positive {words[0] if len(words) == 1 else rarer}"
    )


def _write_label(label: object) -> str:
    """As people type it: 1 for 1.0."""
    if isinstance(label, float) and label.is_integer():
        return str(int(label))
    return str(label)
