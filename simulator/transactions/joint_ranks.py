"""Ranks of all features of a transaction, drawn together as `/model_info` describes the training.

A restatement, with the standard library alone, of model/serving/joint_ranks.py; a test holds the
two equal. Whoever changes one changes the other.
"""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Sequence
from itertools import accumulate
from operator import mul
from random import Random

from simulator.contract.model_info import JointDistribution
from simulator.transactions.random_numbers import STANDARD_NORMAL, draw_standard_normal

Curve = Callable[[float], float]


class JointRanks:
    """Each feature's rank is uniform by itself, so its values are distributed as in training."""

    def __init__(self, joint: JointDistribution) -> None:
        ends = list(accumulate(cell.share for cell in joint.cells))
        self._ends = [end / ends[-1] for end in ends]
        self._features = len(joint.cells[0].ranks)
        self._mixing = [_normalise(row) for row in joint.mixing]
        self._cells = [
            [_build_curve(joint.knots, ranks) for ranks in cell.ranks] for cell in joint.cells
        ]
        self._even = [_build_evening(joint, index) for index in range(self._features)]

    def draw(self, random: Random) -> list[float]:
        """A rank from 0 to 1 for each feature, in the card's order."""
        place = min(bisect_right(self._ends, random.random()), len(self._ends) - 1)
        shares = self._draw_shares(random)
        curves = zip(self._even, self._cells[place], shares, strict=True)
        return [even(of_cell(share)) for even, of_cell, share in curves]

    def _draw_shares(self, random: Random) -> list[float]:
        """Uniform shares of the cell's rows, one for each feature, correlated by normal scores."""
        if not self._mixing:
            return [random.random() for _ in range(self._features)]
        normal = [draw_standard_normal(random) for _ in range(self._features)]
        return [STANDARD_NORMAL.cdf(sum(map(mul, row, normal))) for row in self._mixing]


def _build_evening(joint: JointDistribution, feature: int) -> Curve:
    """Takes out what the rounded cells do to the feature's own distribution: their mixture's
    distribution function, linear between the cells' knots."""
    points = sorted({0.0, 1.0, *(rank for cell in joint.cells for rank in cell.ranks[feature])})
    total = sum(cell.share for cell in joint.cells)
    heights = [0.0] * len(points)
    for cell in joint.cells:
        share_of_rank = _build_curve(cell.ranks[feature], joint.knots)
        for place, point in enumerate(points):
            heights[place] += cell.share / total * share_of_rank(point)
    return _build_curve(points, heights)


def _build_curve(xs: Sequence[float], ys: Sequence[float]) -> Curve:
    """Linear between the points, constant outside."""

    def curve(x: float) -> float:
        place = bisect_left(xs, x)
        if place == 0:
            return ys[0]
        if place == len(xs):
            return ys[-1]
        share = (x - xs[place - 1]) / (xs[place] - xs[place - 1])
        return ys[place - 1] + (ys[place] - ys[place - 1]) * share

    return curve


def _normalise(row: Sequence[float]) -> list[float]:
    length = math.hypot(*row)
    return [value / length for value in row]
