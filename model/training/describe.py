"""From the rows to the card's features: deciles, drift baseline, importance."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from model.data.dataset import Column
from model.serving.card import Feature, Histogram
from model.training.calendar import follows_calendar
from model.training.curve import Ranking

Floats = npt.NDArray[np.float64]
Labels = npt.NDArray[np.int8]

_DECILES = np.linspace(0, 1, 11)
_TAIL = (0.001, 0.005, 0.01, 0.02, 0.05)
# The deciles are the bounds of the baseline's bins, so draws between them hit these exactly.
_DISTRIBUTION_RANKS = np.array([*_DECILES, *_TAIL, *(1 - share for share in _TAIL)])


def describe_feature(
    column: Column,
    values: Floats,
    importance: float,
    contribution: float,
    times: Floats | None = None,
) -> Feature:
    """A card's feature from the training rows' values, and their times where they are known."""
    numeric = column.type in ("number", "integer")
    baseline = count_deciles(values) if numeric else count_categories(column, values)
    return Feature(
        name=column.name,
        type=column.type,
        description=column.description,
        minimum=column.minimum,
        maximum=column.maximum,
        categories=column.categories,
        nullable=column.nullable,
        importance=round(importance, 6),
        contribution=round(contribution, 6),
        quantiles=find_deciles(values) if numeric else (),
        baseline=baseline,
        distribution=find_distribution(values) if numeric else (),
        calendar=times is not None and follows_calendar(values, baseline, times),
    )


def find_deciles(values: Floats) -> tuple[float, ...]:
    """Minimum, nine deciles and maximum of what is present, all of them values that occur."""
    present = values[~np.isnan(values)]
    return tuple(np.quantile(present, _DECILES, method="inverted_cdf").tolist())


def find_distribution(values: Floats) -> tuple[tuple[float, float], ...]:
    """Values at the deciles and in the tails, each with the share of what is present up to it."""
    present = np.sort(values[~np.isnan(values)])
    points = np.unique(np.quantile(present, _DISTRIBUTION_RANKS, method="inverted_cdf"))
    shares = (np.searchsorted(present, points, side="right") / present.size).round(6)
    return tuple(zip(points.tolist(), shares.tolist(), strict=True))


def count_deciles(values: Floats) -> Histogram:
    """Shares between the distinct inner deciles (fewer than ten bins where a value is common)."""
    present = values[~np.isnan(values)]
    edges = np.unique(np.quantile(present, _DECILES[1:-1], method="inverted_cdf"))
    counts = np.bincount(np.searchsorted(edges, present, side="left"), minlength=edges.size + 1)
    return Histogram(tuple(edges.tolist()), *_divide(counts, values.size))


def count_categories(column: Column, values: Floats) -> Histogram:
    """Share of each category, or of false and true; a code outside the categories is missing."""
    size = 2 if column.categories is None else len(column.categories)
    codes = values[(values >= 0) & (values < size)].astype(np.int64)
    return Histogram((), *_divide(np.bincount(codes, minlength=size), values.size))


def measure_importance(
    predict: Callable[[Floats], Floats], features: Floats, target: Labels, seed: int
) -> list[float]:
    """Share of each feature in the average precision that is lost by shuffling its column.

    A feature whose shuffling loses nothing has importance 0; they add up to 1 (or all are 0).
    """
    random = np.random.default_rng(seed)
    best = _measure_precision(target, predict(features))
    lost = []
    for column in range(features.shape[1]):
        shuffled = features.copy()
        shuffled[:, column] = random.permutation(shuffled[:, column])
        lost.append(max(best - _measure_precision(target, predict(shuffled)), 0.0))
    total = sum(lost)
    return [float(value / total) if total else 0.0 for value in lost]


def _measure_precision(target: Labels, probability: Floats) -> float:
    return Ranking(target, probability).curve().average_precision()


def _divide(counts: npt.NDArray[np.int64], rows: int) -> tuple[tuple[float, ...], float]:
    shares = tuple(round(count / rows, 8) for count in counts.tolist())
    return shares, round(1 - int(counts.sum()) / rows, 8)
