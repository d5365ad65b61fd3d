"""The source of transactions for a model: its documented process, or what it says of training."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random
from typing import Protocol

from simulator.contract.model_info import ModelInfo
from simulator.contract.vocabulary import STEADY
from simulator.transactions.synthetic_process import matches_process
from simulator.transactions.synthetic_source import SyntheticSource
from simulator.transactions.training_source import TrainingSource
from simulator.transactions.transaction import SampledTransaction


class TrafficSource(Protocol):
    """Draws transactions as a scenario has them."""

    def sample(self, random: Random, scenario: str = STEADY) -> SampledTransaction:
        """The next transaction; as many random numbers are drawn in every scenario."""
        ...

    def sample_burst(self, steady: SampledTransaction, random: Random) -> SampledTransaction:
        """What is sent in its place in a fraud burst."""
        ...


def select_traffic_source(
    info: ModelInfo, high_score_samples: Sequence[SampledTransaction] = ()
) -> TrafficSource:
    """The documented process for a model of it, else the model's own training distributions."""
    if matches_process(info):
        return SyntheticSource(info)
    return TrainingSource(info, high_score_samples)
