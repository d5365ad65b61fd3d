"""Which customer is of which type: the shares of premium, standard and basic in the training."""

from __future__ import annotations

from simulator.contract.model_info import ModelInfo, UserTypeRule
from simulator.contract.vocabulary import BASIC, PREMIUM, STANDARD
from simulator.transactions.feature_distribution import build_number_of_rank
from simulator.transactions.quantile_function import find_rank


class UserTypeShares:
    """The model's rule for user types, in ranks of its feature (the account balance)."""

    def __init__(self, info: ModelInfo, rule: UserTypeRule) -> None:
        self.feature = rule.feature
        value = build_number_of_rank(next(f for f in info.features if f.name == rule.feature))
        self._premium_from = find_rank(value, rule.premium_from)
        self._standard_from = find_rank(value, rule.standard_from)
        self.shares = {
            PREMIUM: 1 - self._premium_from,
            STANDARD: self._premium_from - self._standard_from,
            BASIC: self._standard_from,
        }

    def classify_rank(self, rank: float) -> str:
        """The type of a customer whose value of the feature has this rank."""
        if rank >= self._premium_from:
            return PREMIUM
        return STANDARD if rank >= self._standard_from else BASIC
