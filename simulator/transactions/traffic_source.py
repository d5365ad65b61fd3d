"""Where transactions come from: a process that is known, or what a model tells of its training."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random
from typing import Protocol

from simulator.contract.model_info import ModelInfo
from simulator.traffic.scenarios import CONCEPT, DRIFT
from simulator.transactions import synthetic_process as process
from simulator.transactions.marginal_source import SAYS_USER_TYPE, Customers, Drawn, Transaction


class World(Protocol):
    """Draws transactions as a scenario has them."""

    def draw(self, random: Random, scenario: str = "steady") -> Drawn:
        """The next transaction; the same numbers are drawn in every scenario."""
        ...

    def in_burst(self, drawn: Drawn, random: Random) -> Drawn:
        """What stands in its place in a fraud burst."""
        ...


def world_of(info: ModelInfo, suspects: Sequence[Drawn] = ()) -> World:
    """The documented process for a model of it, else the model's own training distribution."""
    return KnownWorld(info) if process.is_of_process(info) else Customers(info, suspects)


class KnownWorld:
    """The process of the default model: all features together, and the true probability."""

    def __init__(self, info: ModelInfo) -> None:
        self._names = tuple(feature.name for feature in info.features)
        self._rule = info.user_types

    def draw(self, random: Random, scenario: str = "steady") -> Drawn:
        """The next transaction of the process."""
        row = process.draw_row(random)
        says = random.random() < SAYS_USER_TYPE
        if scenario == DRIFT:
            row = process.drifted(row)
        formula = process.CONCEPT_FORMULA if scenario == CONCEPT else process.STEADY_FORMULA
        return self._drawn(row, says, process.true_probability(row, formula))

    def in_burst(self, drawn: Drawn, random: Random) -> Drawn:
        """The same customer, from a risky place, after many other transactions."""
        row = {name: float(drawn.transaction[name] or 0) for name in self._names}
        changed = process.in_burst(row, random)
        says = "user_type" in drawn.transaction
        return self._drawn(changed, says, process.true_probability(changed))

    def _drawn(self, row: process.Row, says_user_type: bool, probability: float) -> Drawn:
        transaction: Transaction = {
            name: int(row[name]) if name in process.WHOLE else row[name] for name in self._names
        }
        user_type = self._user_type(row)
        if says_user_type and user_type is not None:
            transaction["user_type"] = user_type
        return Drawn(transaction, user_type, probability)

    def _user_type(self, row: process.Row) -> str | None:
        if self._rule is None:
            return None
        value = row[self._rule.feature]
        if value >= self._rule.premium_from:
            return "premium"
        return "standard" if value >= self._rule.standard_from else "basic"
