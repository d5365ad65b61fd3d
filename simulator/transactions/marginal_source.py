"""Valid transactions, by people with different means: premium, standard and basic customers.

Who is premium follows from the model's own rule (user_types of `/model_info`); a model without one
has one kind of customer. How far a customer's habits lie from a standard customer's is in HABITS.
Whatever they are, all customers together are distributed as the training data, feature by feature:
a draw is turned into its rank among everybody's draws, and the rank into a value by the model's
quantiles. So steady traffic is no drift.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import accumulate
from random import Random
from statistics import NormalDist
from typing import Final

from simulator.contract.model_info import Feature, ModelInfo, UserTypes, most_important
from simulator.traffic.scenarios import DRIFT
from simulator.transactions.quantile_function import quantile_function, rank_from

Value = float | int | bool | str | None
Transaction = dict[str, Value]

# In standard deviations of what people of one type do among each other (amounts: of their
# logarithm), so premium customers pay e^1.1 = 3 times what standard ones pay.
HABITS: Final = {
    "amount": {"premium": 1.1, "standard": 0.0, "basic": -0.9},
    "transaction_frequency": {"premium": 0.5, "standard": 0.0, "basic": -0.7},
}

_DRIFTING_FEATURES: Final = 2

# Both ways of the request schema are walked: the type said, and the type left to be derived.
SAYS_USER_TYPE: Final = 0.5

_STANDARD_NORMAL: Final = NormalDist()


@dataclass(frozen=True)
class Drawn:
    """A transaction ready to send, and whose it is (None where the model has no user types).

    `probability`: the true one that it is fraud; None where nobody here can know it.
    """

    transaction: Transaction
    user_type: str | None
    probability: float | None = None


class Customers:
    """Draws transactions for a model; the same `random` gives the same transactions.

    `suspects`: transactions that the model scored high; a fraud burst repeats them.
    """

    def __init__(self, info: ModelInfo, suspects: Sequence[Drawn] = ()) -> None:
        self._suspects = suspects
        self._drifting = {feature.name for feature in most_important(info, _DRIFTING_FEATURES)}
        self.features = tuple(feature.name for feature in info.features)
        self._values = {feature.name: _value_of_rank(feature) for feature in info.features}
        self._means = None if info.user_types is None else _Means(info, info.user_types)

    def draw(self, random: Random, scenario: str = "steady") -> Drawn:
        """The next transaction, each feature within the range that the model allows."""
        drifting = self._drifting if scenario == DRIFT else set()
        if self._means is None:
            transaction = {
                name: value(_risen(random.random(), name in drifting))
                for name, value in self._values.items()
            }
            return Drawn(transaction, None)
        return self._of_customer(random, drifting, self._means)

    def in_burst(self, drawn: Drawn, random: Random) -> Drawn:
        """One of the suspects in place of the transaction."""
        if not self._suspects:
            return drawn
        return self._suspects[int(random.random() * len(self._suspects))]

    def _of_customer(self, random: Random, drifting: set[str], means: _Means) -> Drawn:
        wealth = _risen(random.random(), means.feature in drifting)
        user_type = means.user_type(wealth)
        transaction: Transaction = {
            name: value(
                wealth
                if name == means.feature
                else _risen(self._rank(name, user_type, random), name in drifting)
            )
            for name, value in self._values.items()
        }
        if random.random() < SAYS_USER_TYPE:
            transaction["user_type"] = user_type
        return Drawn(transaction, user_type)

    def _rank(self, name: str, user_type: str, random: Random) -> float:
        habits = HABITS.get(name)
        if habits is None or self._means is None:
            return random.random()
        # The inverse has no value at 0, which random() can be.
        draw = habits[user_type] + _STANDARD_NORMAL.inv_cdf(max(random.random(), 2**-54))
        return sum(
            share * _STANDARD_NORMAL.cdf(draw - habits[other])
            for other, share in self._means.shares.items()
        )


class _Means:
    """Which type a customer is, by the rank of the feature that tells (the balance)."""

    def __init__(self, info: ModelInfo, rule: UserTypes) -> None:
        self.feature = rule.feature
        value = _number_of_rank(next(f for f in info.features if f.name == rule.feature))
        self._premium = rank_from(value, rule.premium_from)
        self._standard = rank_from(value, rule.standard_from)
        self.shares = {
            "premium": 1 - self._premium,
            "standard": self._premium - self._standard,
            "basic": self._standard,
        }

    def user_type(self, rank: float) -> str:
        if rank >= self._premium:
            return "premium"
        return "standard" if rank >= self._standard else "basic"


def _risen(rank: float, drifts: bool) -> float:
    """The larger of two draws where the feature drifts, as a rank."""
    return math.sqrt(rank) if drifts else rank


def _value_of_rank(feature: Feature) -> Callable[[float], Value]:
    """Rank (0 to 1) to a value that the model takes, None where it may be missing and is."""
    present = _present_value_of_rank(feature)
    missing = feature.missing if feature.nullable else 0.0
    if missing == 0:
        return present
    return lambda rank: None if rank < missing else present((rank - missing) / (1 - missing))


def _present_value_of_rank(feature: Feature) -> Callable[[float], Value]:
    if feature.type == "category":
        return _one_of(feature.categories, feature.shares)
    if feature.type == "boolean":
        return _one_of((False, True), feature.shares)
    return _number_of_rank(feature)


def _one_of(values: Sequence[Value], shares: Sequence[float]) -> Callable[[float], Value]:
    ends = list(accumulate(shares or [1.0] * len(values)))
    return lambda rank: values[min(bisect_right(ends, rank * ends[-1]), len(values) - 1)]


def _number_of_rank(feature: Feature) -> Callable[[float], float]:
    """Rank (0 to 1) to a number within the range, with the digits that a person would send."""
    low, high = _range(feature)
    if feature.type == "integer":
        return _whole_number_of_rank(feature, math.ceil(low), math.floor(high))
    quantile = quantile_function(feature.quantiles or (low, high))
    digits = 2 if high - low >= 100 else 4
    return lambda rank: min(max(round(quantile(rank), digits), low), high)


def _whole_number_of_rank(feature: Feature, low: int, high: int) -> Callable[[float], int]:
    """The bins are used where they are told: of whole numbers many may share one quantile."""
    least, largest = low, high
    if feature.quantiles:
        least, largest = math.floor(feature.quantiles[0]), math.ceil(feature.quantiles[-1])
    if not feature.quantiles or not feature.shares or not feature.edges:
        quantile = quantile_function(feature.quantiles or (low - 0.5, high + 0.5))
        return lambda rank: min(max(round(quantile(rank)), low), high)
    total = sum(feature.shares)
    ranks = [0.0, *(end / total for end in accumulate(feature.shares))]
    inner = [math.floor(edge) for edge in feature.edges]
    # From one edge to the next, each whole number above the first and up to the second.
    edges = [least - 1, *inner, max(largest, inner[-1])]
    binned = quantile_function(edges, ranks)
    return lambda rank: min(max(math.ceil(binned(rank)), low), high)


def _range(feature: Feature) -> tuple[float, float]:
    """The range that requests may use; where the model states none, that of its training."""
    spread = feature.quantiles or (0.0, 1.0)
    low = spread[0] if feature.minimum is None else feature.minimum
    high = spread[-1] if feature.maximum is None else feature.maximum
    return low, max(low, high)
