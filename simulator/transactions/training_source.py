"""Transactions for any model, distributed as its training data, so that steady traffic is no drift.

Each value is made from its rank by what the model says of the feature. Where the model says how
features go together, ranks are drawn together. A service that does not say it gets features that
are independent of each other, but for one thing: where the model has user types, premium, standard
and basic customers have different habits (HABITS).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from random import Random
from typing import Final

from simulator.contract.model_info import ModelInfo
from simulator.contract.vocabulary import BASIC, DRIFT, PREMIUM, STANDARD, STEADY, USER_TYPE_FIELD
from simulator.transactions.feature_distribution import build_value_of_rank
from simulator.transactions.joint_ranks import JointRanks
from simulator.transactions.random_numbers import STANDARD_NORMAL, choose, draw_standard_normal
from simulator.transactions.transaction import SampledTransaction, Transaction
from simulator.transactions.user_type_shares import UserTypeShares

# In standard deviations of what people of one type do among each other (amounts: of their
# logarithm), so premium customers pay e^1.1 = 3 times what standard ones pay.
HABITS: Final = {
    "amount": {PREMIUM: 1.1, STANDARD: 0.0, BASIC: -0.9},
    "transaction_frequency": {PREMIUM: 0.5, STANDARD: 0.0, BASIC: -0.7},
}

# Requests may state the user type or leave it to be derived: half of them do either.
STATED_USER_TYPE_SHARE: Final = 0.5

_DRIFTING_FEATURES: Final = 2


class TrainingSource:
    """Draws transactions for a model; the same `random` gives the same transactions.

    `high_score_samples`: transactions that the model scored high; a fraud burst repeats them.
    """

    def __init__(
        self, info: ModelInfo, high_score_samples: Sequence[SampledTransaction] = ()
    ) -> None:
        self._high_score_samples = high_score_samples
        drifting = info.select_most_important(_DRIFTING_FEATURES)
        self._drifting = frozenset(feature.name for feature in drifting)
        self.features = tuple(feature.name for feature in info.features)
        self._values = {feature.name: build_value_of_rank(feature) for feature in info.features}
        self._joint = None if info.joint is None else JointRanks(info.joint)
        self._rule = info.user_types
        self._user_types = (
            None if info.user_types is None else UserTypeShares(info, info.user_types)
        )

    def sample(self, random: Random, scenario: str = STEADY) -> SampledTransaction:
        """The next transaction, each feature within the range that the model allows."""
        drifting = self._drifting if scenario == DRIFT else frozenset()
        if self._joint is not None:
            return self._sample_together(random, drifting, self._joint)
        if self._user_types is not None:
            return self._sample_customer(random, drifting, self._user_types)
        transaction = {
            name: value(_shift_rank(random.random(), name in drifting))
            for name, value in self._values.items()
        }
        return SampledTransaction(transaction, None)

    def sample_burst(self, steady: SampledTransaction, random: Random) -> SampledTransaction:
        """One of the high-score samples in place of the steady transaction."""
        return choose(self._high_score_samples, random) if self._high_score_samples else steady

    def _sample_together(
        self, random: Random, drifting: frozenset[str], joint: JointRanks
    ) -> SampledTransaction:
        ranks = zip(self._values.items(), joint.draw(random), strict=True)
        transaction: Transaction = {
            name: value(_shift_rank(rank, name in drifting)) for (name, value), rank in ranks
        }
        states_user_type = random.random() < STATED_USER_TYPE_SHARE
        if self._rule is None:
            return SampledTransaction(transaction, None)
        user_type = self._rule.classify(float(transaction[self._rule.feature] or 0))
        if states_user_type:
            transaction[USER_TYPE_FIELD] = user_type
        return SampledTransaction(transaction, user_type)

    def _sample_customer(
        self, random: Random, drifting: frozenset[str], user_types: UserTypeShares
    ) -> SampledTransaction:
        rank = _shift_rank(random.random(), user_types.feature in drifting)
        user_type = user_types.classify_rank(rank)
        transaction: Transaction = {
            name: value(
                rank
                if name == user_types.feature
                else _shift_rank(_draw_rank(name, user_type, user_types, random), name in drifting)
            )
            for name, value in self._values.items()
        }
        if random.random() < STATED_USER_TYPE_SHARE:
            transaction[USER_TYPE_FIELD] = user_type
        return SampledTransaction(transaction, user_type)


def _draw_rank(name: str, user_type: str, user_types: UserTypeShares, random: Random) -> float:
    """The rank of one customer's value of a feature among the values of all customers."""
    habits = HABITS.get(name)
    if habits is None:
        return random.random()
    draw = habits[user_type] + draw_standard_normal(random)
    return sum(
        share * STANDARD_NORMAL.cdf(draw - habits[other])
        for other, share in user_types.shares.items()
    )


def _shift_rank(rank: float, drifts: bool) -> float:
    """Where the feature drifts: distributed as the larger of two ranks."""
    return math.sqrt(rank) if drifts else rank
