"""Transactions of the default model's process: all features together, with the true probability."""

from __future__ import annotations

from random import Random

from simulator.contract.model_info import ModelInfo
from simulator.contract.vocabulary import CONCEPT, DRIFT, STEADY, USER_TYPE_FIELD
from simulator.transactions import synthetic_process
from simulator.transactions.training_source import STATED_USER_TYPE_SHARE
from simulator.transactions.transaction import SampledTransaction, Transaction


class SyntheticSource:
    """Draws rows of the documented process for a model that was trained on it."""

    def __init__(self, info: ModelInfo) -> None:
        self._names = tuple(feature.name for feature in info.features)
        self._rule = info.user_types

    def sample(self, random: Random, scenario: str = STEADY) -> SampledTransaction:
        """The next transaction of the process."""
        row = synthetic_process.draw_row(random)
        states_user_type = random.random() < STATED_USER_TYPE_SHARE
        if scenario == DRIFT:
            row = synthetic_process.apply_drift(row)
        formula = synthetic_process.STEADY_FORMULA
        if scenario == CONCEPT:
            formula = synthetic_process.CONCEPT_FORMULA
        probability = synthetic_process.true_probability(row, formula)
        return self._build_sample(row, states_user_type, probability)

    def sample_burst(self, steady: SampledTransaction, random: Random) -> SampledTransaction:
        """The same customer, from a risky place, after many other transactions."""
        row = {name: float(steady.transaction[name] or 0) for name in self._names}
        changed = synthetic_process.apply_fraud_burst(row, random)
        states_user_type = USER_TYPE_FIELD in steady.transaction
        probability = synthetic_process.true_probability(changed)
        return self._build_sample(changed, states_user_type, probability)

    def _build_sample(
        self, row: synthetic_process.Row, states_user_type: bool, probability: float
    ) -> SampledTransaction:
        integers = synthetic_process.INTEGER_FEATURES
        transaction: Transaction = {
            name: int(row[name]) if name in integers else row[name] for name in self._names
        }
        user_type = None
        if self._rule is not None:
            user_type = self._rule.classify(row[self._rule.feature])
            if states_user_type:
                transaction[USER_TYPE_FIELD] = user_type
        return SampledTransaction(transaction, user_type, probability)
