"""Plausible transactions of any card, for traffic made by the service itself."""

from __future__ import annotations

import math
import random
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Sequence
from itertools import accumulate

from model.serving.card import Card, Feature
from model.serving.joint_ranks import JointRanks

ValueOfRank = Callable[[float], object]


class TransactionSampler:
    """Draws valid transactions that are distributed as the training rows.

    All features together, as the card's joint distribution has it; for a card of an earlier form,
    without one, each feature on its own, so that scores are not those of the training.
    """

    def __init__(self, card: Card) -> None:
        self._values = {feature.name: build_value(feature) for feature in card.features}
        self._ranks = None if card.joint is None else JointRanks(card.joint)

    def sample(self, random: random.Random) -> dict[str, object]:
        """The next transaction; the same `random` gives the same ones."""
        if self._ranks is None:
            ranks = [random.random() for _ in self._values]
        else:
            ranks = self._ranks.draw(random)
        pairs = zip(self._values.items(), ranks, strict=True)
        return {name: value(rank) for (name, value), rank in pairs}


def build_value(feature: Feature) -> ValueOfRank:
    """Rank to value: a uniform rank gives the distribution of the training."""
    present, missing = _build_present_value(feature), feature.baseline.missing
    if missing == 0:
        return present
    return lambda rank: None if rank < missing else present((rank - missing) / (1 - missing))


def _build_present_value(feature: Feature) -> ValueOfRank:
    if feature.type == "boolean":
        return _build_choice((False, True), feature.baseline.shares)
    if feature.type == "category":
        return _build_choice(feature.categories or (), feature.baseline.shares)
    return _build_number(feature)


def _build_choice(values: Sequence[object], shares: Sequence[float]) -> ValueOfRank:
    ends = list(accumulate(shares))
    return lambda rank: values[min(bisect_right(ends, rank * ends[-1]), len(values) - 1)]


def _build_number(feature: Feature) -> ValueOfRank:
    """To the cent where the values are of that size; whole where those of the training were."""
    points, shares = _list_points(feature)
    whole = feature.type == "integer" or (
        bool(feature.distribution) and all(point.is_integer() for point in points)
    )
    digits = 2 if points[-1] - points[0] >= 100 else 6

    def number(rank: float) -> float:
        place = min(bisect_left(shares, rank), len(points) - 1)
        if place == 0:
            return points[0]
        (below, above), (start, end) = points[place - 1 : place + 1], shares[place - 1 : place + 1]
        exact = _interpolate(below, above, (rank - start) / (end - start))
        return min(max(math.ceil(exact) if whole else round(exact, digits), below), above)

    return (lambda rank: int(number(rank))) if feature.type == "integer" else number


def _list_points(feature: Feature) -> tuple[list[float], list[float]]:
    """Values, each with the share of what is present up to it; of an old card, the deciles."""
    if feature.distribution:
        points, shares = zip(*feature.distribution, strict=True)
        return list(points), list(shares)
    last = len(feature.quantiles) - 1
    return list(feature.quantiles), [place / last for place in range(last + 1)]


def _interpolate(low: float, high: float, share: float) -> float:
    """Evenly between the two, on a logarithmic scale where both are positive."""
    share = min(max(share, 0.0), 1.0)
    if low > 0:
        return math.exp((1 - share) * math.log(low) + share * math.log(high))
    return (1 - share) * low + share * high
