"""From the rows to the card's features: deciles, drift baseline, importance."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from model.data.dataset import Column
from model.serving.card import Feature, Histogram
from model.training.curve import Ranking

Floats = npt.NDArray[np.float64]
Labels = npt.NDArray[np.int8]

_DECILES = np.linspace(0, 1, 11)


def describe_feature(column: Column, values: Floats, importance: float) -> Feature:
    """A card's feature from the training rows' values."""
    numeric = column.type in ("number", "integer")
    return Feature(
        name=column.name,
        type=column.type,
        description=column.description,
        minimum=column.minimum,
        maximum=column.maximum,
        categories=column.categories,
        nullable=column.nullable,
        importance=round(importance, 6),
        quantiles=find_deciles(values) if numeric else (),
        baseline=count_deciles(values) if numeric else count_categories(column, values),
    )


def find_deciles(values: Floats) -> tuple[float, ...]:
    """Minimum, nine deciles and maximum of what is present, all of them values that occur."""
    present = values[~np.isnan(values)]
    return tuple(np.quantile(present, _DECILES, method="inverted_cdf").tolist())


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
