"""Why a transaction got its score: interventional Shapley values against a stored background.

The value of a set of features S is the mean score over the background rows in which the features
of S are replaced by the transaction's:  v(S) = mean_b f(x_S, b_rest)  (Janzing et al. 2020,
'Feature relevance quantification in explainable AI: a causal problem', eq. 5; Lundberg and Lee
2017). A feature's contribution is its Shapley value in this game, in units of probability:

    phi_i = sum over S without i of  |S|! (M - |S| - 1)! / M!  (v(S + i) - v(S))

so that the contributions add up to the score minus the base value v(empty), the background's mean.
Up to EXACT_FEATURES features every set is evaluated; beyond, permutations are drawn in opposite
pairs, each walked from a background row to the transaction, which keeps the sum exact and gives
each contribution a standard error. The scorer is called with some thousand rows at a time either
way, so that the memory of it stays bounded with many features.

An estimate draws its own few rows of the background (or pairs of permutations; the fewer, the more
features there are): at a fifth of the cost its contributions are unbiased, and their shares over
many transactions hardly move.
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
# Rows in one call of the scorer, at most: a few milliseconds of work.
_MOST_ROWS: Final = 10_000
_PERMUTATION_PAIRS: Final = 100
_SEED: Final = 1
# Rows of the background, or pairs of permutations, behind an estimate. On the default model the
# features' shares of the absolute contributions, over 150 transactions, then differ by 0.006.
_ESTIMATE_SIZE: Final = 20
# Rows that an estimate by permutations scores, at most; but two pairs are the least.
_ESTIMATE_ROWS: Final = 1_500


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
    """Explains the scores of one model against `background`, shape (rows, features).

    Its own `background` are the rows that it uses of them.
    """

    def __init__(self, score: Score, background: Floats) -> None:
        self._score = score
        self._features = background.shape[1]
        if self._features <= EXACT_FEATURES:
            most = max(1, _MOST_ROWS >> self._features)
            self.background = background[:most]
            self._members = _list_sets(self._features)
            self._weights = _weigh_sets(self._members)
        else:
            self.background = background
            self._orders = _draw_orders(self._features, len(background))

    def explain(self, row: Sequence[float] | Floats) -> Explanation:
        """Why `row` (the scorer's columns, in their order) got its score."""
        transaction = np.asarray(row, dtype=np.float64)
        if self._features <= EXACT_FEATURES:
            return self._exactly(transaction, self.background)
        return self._by_permutations(transaction, np.arange(len(self._orders)))

    def estimate(self, row: Sequence[float] | Floats, chance: np.random.Generator) -> Explanation:
        """The same from a few rows, drawn for it: not for a caller, but for sums of many."""
        transaction = np.asarray(row, dtype=np.float64)
        if self._features <= EXACT_FEATURES:
            return self._exactly(transaction, self.background[_draw(len(self.background), chance)])
        affordable = max(2, _ESTIMATE_ROWS // (2 * (self._features + 1)))
        pairs = _draw(len(self._orders) // 2, chance)[:affordable]
        return self._by_permutations(transaction, np.sort([*2 * pairs, *2 * pairs + 1]))

    def _exactly(self, row: Floats, background: Floats) -> Explanation:
        sets, rows = len(self._members), len(background)
        mixed = np.where(self._members[:, None, :], row, background[None, :, :])
        scores = np.asarray(self._score(mixed.reshape(sets * rows, self._features)))
        values = scores.reshape(sets, rows).mean(axis=1)
        contributions = self._weights @ values
        return Explanation(float(values[0]), tuple(contributions.tolist()), None)

    def _by_permutations(self, row: Floats, numbers: NDArray[np.int_]) -> Explanation:
        """By the permutations with these numbers, of which each pair is two in a row."""
        orders, steps = self._orders[numbers], self._features + 1
        starts = self.background[numbers // 2 % len(self.background)]
        at_once = max(1, _MOST_ROWS // steps)
        parts = range(0, len(orders), at_once)
        walks = np.concatenate(
            [self._walk(row, orders[n : n + at_once], starts[n : n + at_once]) for n in parts]
        )
        gains = np.empty((len(orders), self._features))
        np.put_along_axis(gains, orders, np.diff(walks, axis=1), axis=1)
        pairs = gains.reshape(-1, 2, self._features).mean(axis=1)
        errors = pairs.std(axis=0, ddof=1) / math.sqrt(len(pairs))
        base = float(walks[:, 0].mean())
        return Explanation(base, tuple(pairs.mean(axis=0).tolist()), tuple(errors.tolist()))

    def _walk(self, row: Floats, orders: NDArray[np.int64], starts: Floats) -> Floats:
        """Scores, shape (permutations, features + 1): in step k the first k features of a
        permutation are those of `row`, the others those of its start."""
        steps = self._features + 1
        taken = np.argsort(orders, axis=1)[:, None, :] < np.arange(steps)[None, :, None]
        mixed = np.where(taken, row, starts[:, None, :])
        scores = np.asarray(self._score(mixed.reshape(-1, self._features)))
        return scores.reshape(len(orders), steps)


def _draw(count: int, chance: np.random.Generator) -> NDArray[np.int_]:
    """Numbers below `count`, each once: all of them where they are few."""
    return chance.permutation(count)[:_ESTIMATE_SIZE]


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
