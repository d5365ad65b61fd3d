"""One feature's values, distributed as in the model's training: a rank becomes a value.

A rank is a share of the training rows, from 0 to 1; a uniform rank gives the distribution of the
training. This is inverse transform sampling from what `/model_info` says of the feature.
"""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Sequence
from itertools import accumulate

from simulator.contract.model_info import Feature
from simulator.contract.vocabulary import BOOLEAN, CATEGORY, INTEGER
from simulator.transactions.quantile_function import build_quantile_function
from simulator.transactions.transaction import Value

ValueOfRank = Callable[[float], Value]
NumberOfRank = Callable[[float], float]


def build_value_of_rank(feature: Feature) -> ValueOfRank:
    """Rank to a value that the model takes; None for the share of rows without a value."""
    present = _build_present_value(feature)
    missing = feature.missing if feature.nullable else 0.0
    if missing == 0:
        return present
    return lambda rank: None if rank < missing else present((rank - missing) / (1 - missing))


def build_number_of_rank(feature: Feature) -> NumberOfRank:
    """Rank to a number within the model's range, with the digits that a person would send."""
    low, high = _find_range(feature)
    if feature.distribution:
        return _build_distributed(feature, low, high)
    if feature.type == INTEGER:
        return _build_integer(feature, math.ceil(low), math.floor(high))
    quantile = build_quantile_function(feature.quantiles or (low, high))
    digits = 2 if high - low >= 100 else 4
    return lambda rank: min(max(round(quantile(rank), digits), low), high)


def _build_present_value(feature: Feature) -> ValueOfRank:
    if feature.type == CATEGORY:
        return _build_choice(feature.categories, feature.shares)
    if feature.type == BOOLEAN:
        return _build_choice((False, True), feature.shares)
    return build_number_of_rank(feature)


def _build_choice(values: Sequence[Value], shares: Sequence[float]) -> ValueOfRank:
    ends = list(accumulate(shares or [1.0] * len(values)))
    return lambda rank: values[min(bisect_right(ends, rank * ends[-1]), len(values) - 1)]


def _build_distributed(feature: Feature, low: float, high: float) -> NumberOfRank:
    """As model/serving/sampling.py makes a number of its rank; a test holds the two equal."""
    values = [value for value, _ in feature.distribution]
    shares = [share for _, share in feature.distribution]
    whole = feature.type == INTEGER or all(value.is_integer() for value in values)
    digits = 2 if values[-1] - values[0] >= 100 else 6

    def number(rank: float) -> float:
        place = min(bisect_left(shares, rank), len(values) - 1)
        if place == 0:
            return values[0]
        (below, above), (start, end) = values[place - 1 : place + 1], shares[place - 1 : place + 1]
        exact = _interpolate(below, above, (rank - start) / (end - start))
        exact = min(max(math.ceil(exact) if whole else round(exact, digits), below), above)
        return min(max(exact, low), high)

    return (lambda rank: int(number(rank))) if feature.type == INTEGER else number


def _interpolate(low: float, high: float, share: float) -> float:
    """Evenly between the two, on a logarithmic scale where both are positive."""
    share = min(max(share, 0.0), 1.0)
    if low > 0:
        return math.exp((1 - share) * math.log(low) + share * math.log(high))
    return (1 - share) * low + share * high


def _build_integer(feature: Feature, low: int, high: int) -> Callable[[float], int]:
    """Uses the bins where the service tells them: many integers may share one quantile."""
    if not feature.quantiles or not feature.shares or not feature.edges:
        quantile = build_quantile_function(feature.quantiles or (low - 0.5, high + 0.5))
        return lambda rank: min(max(round(quantile(rank)), low), high)
    smallest, largest = math.floor(feature.quantiles[0]), math.ceil(feature.quantiles[-1])
    total = sum(feature.shares)
    ranks = [0.0, *(end / total for end in accumulate(feature.shares))]
    inner = [math.floor(edge) for edge in feature.edges]
    # From one edge to the next, each integer above the first and up to the second.
    edges = [smallest - 1, *inner, max(largest, inner[-1])]
    binned = build_quantile_function(edges, ranks)
    return lambda rank: min(max(math.ceil(binned(rank)), low), high)


def _find_range(feature: Feature) -> tuple[float, float]:
    """The range that requests may use; where the model states none, that of its training."""
    spread = feature.quantiles or (0.0, 1.0)
    low = spread[0] if feature.minimum is None else feature.minimum
    high = spread[-1] if feature.maximum is None else feature.maximum
    return low, max(low, high)
