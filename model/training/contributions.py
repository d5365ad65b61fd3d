"""Each feature's mean contribution to the holdout's scores: the reference of the live ones.

The same Shapley values as model/serving/explain.py, against the same background rows, but only
their mean: for each row one background row and one order of the features, at random, is unbiased
(Castro, Gomez and Tejada 2009, 'Polynomial calculation of the Shapley value based on sampling'),
and many rows at one scoring each bring its error down faster than few rows explained well.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import numpy as np

from model.data.dataset import Floats

MOST_ROWS: Final = 20_000
_ROWS_AT_ONCE: Final = 1000


def measure_contributions(
    predict: Callable[[Floats], Floats], rows: Floats, background: Floats, seed: int
) -> list[float]:
    """Mean contributions, in units of probability. With the mean score of the background rows they
    add up to the rows' mean score, where the rows are a multiple of the background's."""
    chance = np.random.default_rng(seed)
    size = min(MOST_ROWS, len(rows))
    chosen = rows[np.sort(chance.choice(len(rows), size, replace=False))]
    starts = background[chance.permutation(np.arange(size) % len(background))]
    total = np.zeros(rows.shape[1])
    for begin in range(0, size, _ROWS_AT_ONCE):
        part = slice(begin, begin + _ROWS_AT_ONCE)
        total += _add_up(predict, chosen[part], starts[part], chance)
    means: list[float] = (total / size).tolist()
    return means


def _add_up(
    predict: Callable[[Floats], Floats],
    rows: Floats,
    starts: Floats,
    chance: np.random.Generator,
) -> Floats:
    """The sum over the rows of what each feature adds on the way from the start to the row."""
    size, features = rows.shape
    orders = chance.permuted(np.tile(np.arange(features), (size, 1)), axis=1)
    places = np.argsort(orders, axis=1)
    taken = places[:, None, :] < np.arange(features + 1)[None, :, None]
    mixed = np.where(taken, rows[:, None, :], starts[:, None, :])
    walks = predict(mixed.reshape(-1, features)).reshape(size, features + 1)
    return np.asarray(np.bincount(orders.ravel(), np.diff(walks, axis=1).ravel(), features))
