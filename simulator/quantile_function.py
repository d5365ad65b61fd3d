"""Values that are distributed as the model's training data, from nothing but its quantiles.

A value's rank u (0 <= u < 1) is turned into the value that this share of the training rows lies
under. So ranks that are uniform give the training distribution back, in each decile exactly.

Between two quantiles the values lie evenly: on a logarithmic scale where all are positive (amounts,
balances), else on a linear one. The outermost stretches need more care: the largest training row
may lie far beyond the last decile, and values spread evenly up to it would be far too large.
There the density carries on from the neighbouring stretch and falls off exponentially.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from itertools import pairwise

Shape = Callable[[float], float]


def quantile_function(quantiles: Sequence[float]) -> Callable[[float], float]:
    """Rank to value; `quantiles` ascend and are equally spaced in rank, at least two of them."""
    if quantiles[0] <= 0:
        return _on_scale(quantiles)
    logarithmic = _on_scale([math.log(value) for value in quantiles])
    return lambda rank: math.exp(logarithmic(rank))


def rank_from(value_of_rank: Callable[[float], float], threshold: float) -> float:
    """The least rank whose value is `threshold` or more (to 1e-9); 1.0 where there is none."""
    low, high = 0.0, 1.0
    for _ in range(30):
        middle = (low + high) / 2
        if value_of_rank(middle) >= threshold:
            high = middle
        else:
            low = middle
    return high


def _on_scale(quantiles: Sequence[float]) -> Callable[[float], float]:
    stretches = len(quantiles) - 1
    widths = [high - low for low, high in pairwise(quantiles)]
    first, last = _outer_shapes(widths)

    def value(rank: float) -> float:
        position = min(max(rank, 0.0), 1.0) * stretches
        stretch = min(int(position), stretches - 1)
        share = position - stretch
        if stretch == 0:
            return quantiles[1] - widths[0] * first(1 - share)
        if stretch == stretches - 1:
            return quantiles[-2] + widths[-1] * last(share)
        return quantiles[stretch] + widths[stretch] * share

    return value


def _outer_shapes(widths: Sequence[float]) -> tuple[Shape, Shape]:
    if len(widths) < 3:
        return _evenly, _evenly
    return _falling_off(widths[0], widths[1]), _falling_off(widths[-1], widths[-2])


def _evenly(share: float) -> float:
    return share


def _falling_off(width: float, neighbour: float) -> Shape:
    """Share of the rows in an outer stretch -> share of its width, counted from the inside.

    Exponential with scale s, cut off at the width w, where s solves s (1 - exp(-w / s)) = n, so
    that the density at the inner end is that of the neighbour (width n, as many rows).
    """
    # A neighbour of no width (ties among whole numbers) must not pull all rows to the inner end.
    neighbour = max(neighbour, width / 20)
    if width <= neighbour:
        return _evenly
    scale = _scale(width, neighbour)
    outside = math.exp(-width / scale)
    return lambda share: -math.log(1 - share + share * outside) * scale / width


def _scale(width: float, neighbour: float) -> float:
    low, high = neighbour / 2, neighbour
    while high * -math.expm1(-width / high) < neighbour:
        high *= 2
        if high > width * 1e6:
            return high
    for _ in range(60):
        middle = (low + high) / 2
        if middle * -math.expm1(-width / middle) < neighbour:
            low = middle
        else:
            high = middle
    return high
