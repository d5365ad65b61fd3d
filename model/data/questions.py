"""What looks odd about a feature and may be meant all the same: said, with the option."""

from __future__ import annotations

import shlex
from collections.abc import Iterator

import numpy as np
import pandas as pd

from model.data.dataset import Column
from model.data.times import look_like_day_numbers

_FEW_ROWS = 10


def question_column(column: Column, values: pd.Series) -> Iterator[str]:
    """Notes on a feature, from the rows that describe it."""
    if column.type == "integer":
        yield from _question_integers(column.name, values.dropna())
    elif column.categories is not None:
        yield from _question_blanks(column.name, column.categories)


def _question_integers(name: str, values: pd.Series) -> Iterator[str]:
    drop = f"--drop {shlex.quote(name)}"
    if len(values) > _FEW_ROWS and bool((np.abs(np.diff(values.to_numpy())) == 1).all()):
        if values.is_unique:
            yield f"column '{name}' numbers the rows and is a feature all the same: {drop}?"
    elif look_like_day_numbers(values):
        yield f"column '{name}' looks like dates ({values.iloc[0]}) and is a number here: {drop}?"


def _question_blanks(name: str, categories: tuple[str, ...]) -> Iterator[str]:
    alike: dict[str, list[str]] = {}
    for category in categories:
        alike.setdefault(category.strip().casefold(), []).append(category)
    for same in alike.values():
        if len(same) > 1:
            shown = " and ".join(repr(one) for one in same)
            yield f"column '{name}': {shown} are different categories"
