"""Rows that a converted model must score as scikit-learn does, beside the sample: made from the
schema, so that they reach what no row of the sample does.

Each nullable column null, each category, the ends of what is allowed and of what was seen with
their neighbours outside, values at and beside the thresholds of trees (those that the model holds,
and those that show as a step in its scores), random rows over the ranges, and all numbers in
32 bits with their neighbours there.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

import numpy as np

from model.data.dataset import Column, Floats
from model.data.schema import find_allowed
from model.serving.errors import first_line

Predict = Callable[[Floats], Floats]

RANDOM_ROWS: Final = 4_000
_BASE_ROWS: Final = 16
_THRESHOLDS: Final = 400
_STEP_PAIRS: Final = 600
_MISSING_SHARE: Final = 0.15


def make_probes(
    columns: Sequence[Column], features: Floats, thresholds: Floats, seed: int = 0
) -> Floats:
    """Rows (n, columns) that requests may hold, from the schema and the sample's `features`."""
    random = np.random.default_rng(seed)
    base = features[random.choice(len(features), min(_BASE_ROWS, len(features)), replace=False)]
    parts = [_vary(base, index, _list_values(columns[index], features[:, index]))
             for index in range(len(columns))]  # fmt: skip
    parts.append(_place_thresholds(random, columns, features, thresholds))
    drawn = _draw_rows(random, columns, features)
    parts += [drawn, *_round_to_single(drawn[::2])]
    return keep_allowed(columns, np.concatenate(parts))


def find_steps(
    columns: Sequence[Column], features: Floats, predict: Predict, seed: int = 0
) -> Floats:
    """Rows on both sides of the steps in a model's scores, to the last bit of one number.

    Between two rows that differ in one column and in their scores a step, or any point of a slope,
    is found by bisection: for trees behind a scaler it is the threshold in the column's own units.
    """
    random = np.random.default_rng(seed + 1)
    numeric = [index for index, column in enumerate(columns) if column.type == "number"]
    if not numeric:
        return np.zeros((0, len(columns)))
    low = features[random.integers(0, len(features), _STEP_PAIRS)]
    at = random.choice(numeric, _STEP_PAIRS)
    rows = np.arange(_STEP_PAIRS)
    other = features[random.integers(0, len(features), _STEP_PAIRS), at]
    usable = np.isfinite(other) & np.isfinite(low[rows, at]) & (other != low[rows, at])
    low, at, other = low[usable], at[usable], other[usable]
    rows = np.arange(len(low))
    high = low.copy()
    high[rows, at] = other
    if not len(low):
        return np.zeros((0, len(columns)))
    first = predict(low)
    for _ in range(64):
        middle = low.copy()
        middle[rows, at] = low[rows, at] + (high[rows, at] - low[rows, at]) / 2
        same = predict(middle) == first
        low[same], high[~same] = middle[same], middle[~same]
    found = np.concatenate([low, high, *_round_to_single(low)])
    return keep_allowed(columns, found)


def keep_allowed(columns: Sequence[Column], rows: Floats) -> Floats:
    """Whole numbers and codes made whole; the rows that a request may hold."""
    rows = rows.copy()
    fits = np.ones(len(rows), dtype=bool)
    for index, column in enumerate(columns):
        if column.type != "number":
            rows[:, index] = np.round(rows[:, index])
        if column.type == "boolean":
            rows[:, index] = np.clip(rows[:, index], 0, 1)
        fits &= find_allowed(column, rows[:, index])
    return rows[fits]


def _list_values(column: Column, seen: Floats) -> Floats:
    """What one column is set to, one after the other."""
    values = [np.nan] if column.nullable else []
    if column.type == "category":
        return np.array([*values, *range(len(column.categories or ()))])
    if column.type == "boolean":
        return np.array([*values, 0.0, 1.0])
    present = seen[~np.isnan(seen)]
    ends = [bound for bound in (column.minimum, column.maximum) if bound is not None]
    ends += [float(present.min()), float(present.max())] if present.size else []
    if column.type == "integer":
        near = [end + step for end in ends for step in (-1, 1)]
        low, high = (min(ends), max(ends)) if ends else (0.0, 1.0)
        inside = np.unique(np.linspace(low, high, 64).round())
        start = present.min() if present.size else low
        return np.array([*values, *ends, *near, *inside, *(start + np.arange(64))])
    near = [float(np.nextafter(end, way)) for end in ends for way in (-np.inf, np.inf)]
    return np.array([*values, *ends, *near])


def _vary(base: Floats, index: int, values: Floats) -> Floats:
    rows = np.repeat(base, len(values), axis=0)
    rows[:, index] = np.tile(values, len(base))
    return rows


def _place_thresholds(
    random: np.random.Generator, columns: Sequence[Column], features: Floats, thresholds: Floats
) -> Floats:
    """Each threshold in each column that it may be of, with its neighbours in 64 and 32 bits."""
    parts = [np.zeros((0, len(columns)))]
    for index, column in enumerate(columns):
        if column.type != "number":
            continue
        low = -np.inf if column.minimum is None else column.minimum
        high = np.inf if column.maximum is None else column.maximum
        within = thresholds[(thresholds >= low) & (thresholds <= high)]
        if within.size > _THRESHOLDS:
            within = random.choice(within, _THRESHOLDS, replace=False)
        single = within.astype(np.float32)
        near = [np.nextafter(within, -np.inf), np.nextafter(within, np.inf), single]
        near += [np.nextafter(single, np.float32(way)) for way in (-np.inf, np.inf)]
        values = np.concatenate([within, *(one.astype(np.float64) for one in near)])
        rows = features[random.integers(0, len(features), len(values))]
        rows[:, index] = values
        parts.append(rows)
    return np.concatenate(parts)


def _draw_rows(random: np.random.Generator, columns: Sequence[Column], features: Floats) -> Floats:
    """Each column alone: as in the sample, evenly over what was seen or over what is allowed."""
    rows = np.empty((RANDOM_ROWS, len(columns)))
    for index, column in enumerate(columns):
        seen = features[:, index]
        present = seen[~np.isnan(seen)]
        rows[:, index] = seen[random.integers(0, len(seen), RANDOM_ROWS)]
        third = random.integers(0, 3, RANDOM_ROWS)
        low, high = (present.min(), present.max()) if present.size else (0.0, 1.0)
        if column.type == "category":
            low, high = 0, len(column.categories or ()) - 1
        wide = (
            low if column.minimum is None else column.minimum,
            high if column.maximum is None else column.maximum,
        )
        evenly = random.uniform(low, high, RANDOM_ROWS)
        widely = wide[0] + (wide[1] - wide[0]) * random.uniform(0, 1, RANDOM_ROWS)
        drawn = np.where(third == 1, evenly, widely)
        if column.type == "category":
            drawn = random.integers(0, int(high) + 1, RANDOM_ROWS).astype(np.float64)
        rows[:, index] = np.where(third == 0, rows[:, index], drawn)
        if column.nullable:
            rows[random.random(RANDOM_ROWS) < _MISSING_SHARE, index] = np.nan
        elif np.isnan(rows[:, index]).any():
            rows[np.isnan(rows[:, index]), index] = low
    return rows


def _round_to_single(rows: Floats) -> list[Floats]:
    """The rows in 32 bits, and their upper neighbours there."""
    with np.errstate(over="ignore"):
        single = rows.astype(np.float32)
    above = np.nextafter(single, np.float32(np.inf))
    return [one.astype(np.float64) for one in (single, above)]


class RefusedValue(Exception):
    """An allowed value that the model raises an error for: the column's index, value, reason."""

    def __init__(self, column: int, value: float, reason: str) -> None:
        super().__init__(column, value, reason)
        self.column = column
        self.value = value
        self.reason = reason


def find_refused_value(
    columns: Sequence[Column], features: Floats, predict: Predict
) -> RefusedValue | None:
    """The first allowed value that the model raises an error for; None if it is not one alone."""
    base = features[:1]
    for index, column in enumerate(columns):
        rows = keep_allowed(columns, _vary(base, index, _list_values(column, features[:, index])))
        for row in rows:
            try:
                predict(row[None, :])
            except Exception as error:  # A model of anybody's own raises anything.
                return RefusedValue(index, float(row[index]), first_line(error))
    return None


def format_value(column: Column, value: float) -> str:
    """As a request writes it."""
    if np.isnan(value):
        return "null"
    if column.type == "category":
        return repr((column.categories or ())[int(value)])
    return f"{value:g}"
