"""Why a transaction got its score: interventional Shapley values against a stored background.

The value of a set of features S is the mean score over the background rows in which the features
of S are replaced by the transaction's:  v(S) = mean_b f(x_S, b_rest)  (Janzing et al. 2020,
'Feature relevance quantification in explainable AI: a causal problem', eq. 5; Lundberg and Lee
2017). A feature's contribution is its Shapley value in this game, in units of probability:

    phi_i = sum over S without i of  |S|! (M - |S| - 1)! / M!  (v(S + i) - v(S))

so that the contributions add up to the score minus the base value v(empty), the background's mean.
Up to EXACT_FEATURES features every set is evaluated; beyond, permutations are drawn in opposite
pairs, each walked from a background row to the transaction, which keeps the sum exact and gives
each contribution a standard error. One batched call of the scorer either way.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]
Score = Callable[[Floats], ArrayLike]

EXACT_FEATURES: Final = 10
# Rows in the scorer's one call, at most: a few milliseconds of work.
_MOST_ROWS: Final = 10_000
_PERMUTATION_PAIRS: Final = 100
_SEED: Final = 1


@dataclass(frozen=True)
class Explanation:
    """Contributions in the features' order, in units of probability.

    They add up to the score minus `base_value`, to rounding. `standard_errors` are None where the
    contributions are exact.
    """

    base_value: float
    contributions: tuple[float, ...]
    standard_errors: tuple[float, ...] | None


class Explainer:
    """Explains the scores of one model against `background`, shape (rows, features)."""

    def __init__(self, score: Score, background: Floats) -> None:
        self._score = score
        self._features = background.shape[1]
        if self._features <= EXACT_FEATURES:
            most = max(1, _MOST_ROWS >> self._features)
            self._background = background[:most]
            self._members = _list_sets(self._features)
            self._weights = _weigh_sets(self._members)
        else:
            self._background = background
            self._orders = _draw_orders(self._features, len(background))

    def explain(self, row: Sequence[float] | Floats) -> Explanation:
        """Why `row` (the scorer's columns, in their order) got its score."""
        transaction = np.asarray(row, dtype=np.float64)
        if self._features <= EXACT_FEATURES:
            return self._exactly(transaction)
        return self._by_permutations(transaction)

    def _exactly(self, row: Floats) -> Explanation:
        sets, rows = len(self._members), len(self._background)
        mixed = np.where(self._members[:, None, :], row, self._background[None, :, :])
        scores = np.asarray(self._score(mixed.reshape(sets * rows, self._features)))
        values = scores.reshape(sets, rows).mean(axis=1)
        contributions = self._weights @ values
        return Explanation(float(values[0]), tuple(contributions.tolist()), None)

    def _by_permutations(self, row: Floats) -> Explanation:
        steps = self._features + 1
        # Row p, step k: the first k features of permutation p are the transaction's.
        taken = np.argsort(self._orders, axis=1)[:, None, :] < np.arange(steps)[None, :, None]
        starts = self._background[np.arange(len(self._orders)) // 2 % len(self._background)]
        mixed = np.where(taken, row, starts[:, None, :])
        scores = np.asarray(self._score(mixed.reshape(-1, self._features)))
        walks = scores.reshape(len(self._orders), steps)
        gains = np.empty((len(self._orders), self._features))
        np.put_along_axis(gains, self._orders, np.diff(walks, axis=1), axis=1)
        pairs = gains.reshape(-1, 2, self._features).mean(axis=1)
        errors = pairs.std(axis=0, ddof=1) / math.sqrt(len(pairs))
        base = float(walks[:, 0].mean())
        return Explanation(base, tuple(pairs.mean(axis=0).tolist()), tuple(errors.tolist()))


def _list_sets(features: int) -> NDArray[np.bool_]:
    """Row n tells which features are in set n; the empty set is the first, the full the last."""
    sets = np.arange(1 << features)
    return (sets[:, None] >> np.arange(features) & 1).astype(bool)


def _weigh_sets(members: NDArray[np.bool_]) -> Floats:
    """Contribution i is row i times the sets' values: + where i is in the set, - where not."""
    features = members.shape[1]
    sizes = members.sum(axis=1)
    factorial = [math.factorial(n) for n in range(features + 1)]
    joined = np.array(
        [factorial[s - 1] * factorial[features - s] if s else 0 for s in sizes], dtype=np.float64
    )
    alone = np.array(
        [factorial[s] * factorial[features - s - 1] if s < features else 0 for s in sizes],
        dtype=np.float64,
    )
    return np.where(members.T, joined, -alone) / factorial[features]


def _draw_orders(features: int, background: int) -> NDArray[np.int64]:
    """Permutations in pairs, the second the first one's reverse; the same ones at every call.

    As many pairs for each background row, so that the base value is the background's mean.
    """
    pairs = max(1, round(_PERMUTATION_PAIRS / background)) * background
    chance = np.random.default_rng(_SEED)
    forward = np.array([chance.permutation(features) for _ in range(pairs)])
    return np.stack([forward, forward[:, ::-1]], axis=1).reshape(2 * pairs, features)
