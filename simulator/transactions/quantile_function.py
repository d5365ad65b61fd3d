"""Values that are distributed as the model's training data, from nothing but some of its quantiles.

A value's rank u (0 <= u < 1) is turned into the value that this share of the training rows lies
under. So ranks that are uniform give the training distribution back, exactly between each two of
the quantiles.

There the values lie evenly: on a logarithmic scale where all are positive (amounts, balances), else
on a linear one. The outermost stretches need more care: the largest training row
may lie far beyond the last decile, and values spread evenly up to it would be far too large.
There the density carries on from the neighbouring stretch and falls off exponentially.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Final

# A power of two changes no digit.
_LARGEST: Final = 1e290
_SCALE: Final = 2.0**-60

Shape = Callable[[float], float]


def build_quantile_function(
    quantiles: Sequence[float], ranks: Sequence[float] | None = None
) -> Callable[[float], float]:
    """Rank to value; `quantiles` ascend, two at least, `ranks` from 0 to 1; None: evenly spaced."""
    last = len(quantiles) - 1
    ranks = [i / last for i in range(last + 1)] if ranks is None else ranks
    if quantiles[0] <= 0:
        if max(-quantiles[0], quantiles[-1]) > _LARGEST:
            return _interpolate_scaled(quantiles, ranks)
        return _interpolate(quantiles, ranks)
    logarithmic = _interpolate([math.log(value) for value in quantiles], ranks)
    return lambda rank: math.exp(logarithmic(rank))


def _interpolate_scaled(
    quantiles: Sequence[float], ranks: Sequence[float]
) -> Callable[[float], float]:
    """For values whose differences no floating-point number holds."""
    scaled = _interpolate([quantile * _SCALE for quantile in quantiles], ranks)
    low, high = quantiles[0] * _SCALE, quantiles[-1] * _SCALE
    return lambda rank: min(max(scaled(rank), low), high) / _SCALE


def find_rank(value_of_rank: Callable[[float], float], threshold: float) -> float:
    """The least rank whose value is `threshold` or more (to 1e-9); 1.0 where there is none."""
    low, high = 0.0, 1.0
    for _ in range(30):
        middle = (low + high) / 2
        if value_of_rank(middle) >= threshold:
            high = middle
        else:
            low = middle
    return high


def _interpolate(quantiles: Sequence[float], ranks: Sequence[float]) -> Callable[[float], float]:
    widths = [high - low for low, high in pairwise(quantiles)]
    shares = [high - low for low, high in pairwise(ranks)]
    first, last = _build_outer_shapes(widths, shares)
    inner_ranks, end = ranks[1:-1], len(widths) - 1

    def value(rank: float) -> float:
        stretch = bisect_right(inner_ranks, rank)
        share = (rank - ranks[stretch]) / shares[stretch] if shares[stretch] else 0.0
        if stretch == 0:
            return quantiles[1] - widths[0] * first(1 - share)
        if stretch == end:
            return quantiles[-2] + widths[-1] * last(share)
        return quantiles[stretch] + widths[stretch] * share

    return value


def _build_outer_shapes(widths: Sequence[float], shares: Sequence[float]) -> tuple[Shape, Shape]:
    if len(widths) < 3:
        return _spread_evenly, _spread_evenly

    def shape(outer: int, inner: int) -> Shape:
        neighbour = widths[inner] * shares[outer] / max(shares[inner], 1e-9)
        return _build_exponential_shape(widths[outer], neighbour)

    return shape(0, 1), shape(-1, -2)


def _spread_evenly(share: float) -> float:
    return share


def _build_exponential_shape(width: float, neighbour: float) -> Shape:
    """Share of the rows in an outer stretch -> share of its width, counted from the inside.

    Exponential with scale s, cut off at the width w, where s solves s (1 - exp(-w / s)) = n, so
    that the density at the inner end is that of the neighbour (as many rows in the width n).
    """
    # A neighbour of no width (many equal values) must not pull all rows to the inner end.
    neighbour = max(neighbour, width / 20)
    if width <= neighbour:
        return _spread_evenly
    scale = _solve_scale(width, neighbour)
    outside = math.exp(-width / scale)
    return lambda share: -math.log(1 - share + share * outside) * scale / width


def _solve_scale(width: float, neighbour: float) -> float:
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
