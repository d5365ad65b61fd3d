"""From the rows to the card's joint distribution: how the features' values go together.

A mixture of Gaussian copulas. A regression tree on the model's own log-odds divides the rows into
cells, so that what makes the score high together stays together; a cell is described by where its
rows lie in each feature's ranks, and the cells share one correlation of normal scores (Nelsen 2006,
'An Introduction to Copulas', 2.4; Liu, Lafferty and Wasserman 2009, 'The Nonparanormal').
No row is kept: each cell describes MIN_CELL_ROWS rows or more.

How near that comes, by the share that is called fraud: of the default model 3.6 % (holdout 3.4 %;
by deciles one by one 13 %), of one of the handbook's data 0.9 % (holdout 0.6, training 0.7; one by
one 20 %), of one of the credit-card sample 2.8 % (training 2.5; its holdout, 8.3, is another time).
"""

from __future__ import annotations

from collections.abc import Sequence
from statistics import NormalDist
from typing import Final

import numpy as np
from numpy.typing import NDArray
from sklearn.tree import DecisionTreeRegressor

from model.data.dataset import Column, Floats
from model.serving.card import Cell, JointDistribution

MIN_CELL_ROWS: Final = 50
MOST_ROWS: Final = 50_000
# The card and the answer of /model_info stay below some 50 kB for any number of features.
_MOST_CELLS: Final = 32
_MOST_NUMBERS: Final = 8_000
_MOST_CORRELATED: Final = 60
_KNOTS: Final = (0.0, 0.02, 0.1, 0.3, 0.5, 0.7, 0.9, 0.98, 1.0)
# Keeps the matrix positive where two features are one.
_SHRINKAGE: Final = 0.001
_LEAST_PROBABILITY: Final = 1e-4


def sample_rows(rows: Floats, seed: int) -> Floats:
    """MOST_ROWS of the rows (all where there are fewer), drawn without replacement."""
    size = min(MOST_ROWS, len(rows))
    return rows[np.sort(np.random.default_rng(seed).choice(len(rows), size, replace=False))]


def describe_joint(
    columns: Sequence[Column], rows: Floats, scores: Floats, seed: int
) -> JointDistribution:
    """How the values of these rows, with the model's scores, go together."""
    low, high = _find_ranks(columns, rows)
    chance = np.random.default_rng(seed)
    # Equal values have their ranks in a random order: as a share of rows each rank is as likely.
    ranks = low + chance.random(low.shape) * (high - low)
    places = _divide_into_cells(high, scores, rows.shape[1], seed)
    members = [places == place for place in np.unique(places)]
    return JointDistribution(
        knots=_KNOTS,
        cells=tuple(_describe_cell(ranks[rows_of], len(rows)) for rows_of in members),
        mixing=_correlate([ranks[rows_of] for rows_of in members]),
    )


def _find_ranks(columns: Sequence[Column], rows: Floats) -> tuple[Floats, Floats]:
    """For each value the shares of rows with a smaller one, and with one that is not larger.

    What is missing comes first.
    """
    low, high = np.empty(rows.shape), np.empty(rows.shape)
    for index, column in enumerate(columns):
        values = _mark_missing(column, rows[:, index])
        ordered = np.sort(values)
        low[:, index] = np.searchsorted(ordered, values, side="left") / len(rows)
        high[:, index] = np.searchsorted(ordered, values, side="right") / len(rows)
    return low, high


def _mark_missing(column: Column, values: Floats) -> Floats:
    """Minus infinity for what is missing, in a category a code outside of it."""
    missing = np.isnan(values)
    if column.type in ("category", "boolean"):
        size = 2 if column.categories is None else len(column.categories)
        missing |= (values < 0) | (values >= size)
    return np.where(missing, -np.inf, values)


def _divide_into_cells(ranks: Floats, scores: Floats, features: int, seed: int) -> NDArray[np.intp]:
    """The cell of each row."""
    cells = min(_MOST_CELLS, _MOST_NUMBERS // (features * len(_KNOTS)))
    if cells < 2 or len(ranks) < 2 * MIN_CELL_ROWS:
        return np.zeros(len(ranks), dtype=np.intp)
    probability = np.clip(scores.round(9), _LEAST_PROBABILITY, 1 - _LEAST_PROBABILITY)
    tree = DecisionTreeRegressor(
        max_leaf_nodes=cells, min_samples_leaf=MIN_CELL_ROWS, random_state=seed
    )
    tree.fit(ranks, np.log(probability / (1 - probability)))
    places: NDArray[np.intp] = tree.apply(ranks)
    return places


def _describe_cell(ranks: Floats, rows: int) -> Cell:
    quantiles = np.quantile(ranks, _KNOTS, axis=0, method="inverted_cdf").round(4)
    return Cell(
        share=round(len(ranks) / rows, 6),
        ranks=tuple(tuple(feature) for feature in quantiles.T.tolist()),
    )


def _correlate(cells: Sequence[Floats]) -> tuple[tuple[float, ...], ...]:
    """Cholesky factor, row by row, of the correlation of normal scores within the cells."""
    features = cells[0].shape[1]
    if features > _MOST_CORRELATED:
        return ()
    total = np.zeros((features, features))
    for ranks in cells:
        normal = _find_normal_scores(ranks)
        total += normal.T @ normal
    deviations = np.sqrt(np.diag(total))
    correlation = total / deviations / deviations[:, None]
    shrunk = (1 - _SHRINKAGE) * correlation + _SHRINKAGE * np.eye(features)
    factor = np.linalg.cholesky(shrunk).round(3).tolist()
    return tuple(tuple(row[: index + 1]) for index, row in enumerate(factor))


def _find_normal_scores(ranks: Floats) -> Floats:
    """Each column's values by their order: quantiles of the standard normal distribution."""
    size = len(ranks)
    standard = NormalDist()
    scores = np.array([standard.inv_cdf((place + 0.5) / size) for place in range(size)])
    return scores[np.argsort(np.argsort(ranks, axis=0, kind="stable"), axis=0)]
