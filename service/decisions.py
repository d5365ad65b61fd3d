"""From a model's probability to what is decided and counted."""

from __future__ import annotations

from dataclasses import dataclass

from model.serving.card import Card, RiskLevels
from model.serving.features import Transaction
from model.serving.vocabulary import FRAUD, HIGH_RISK, LEGITIMATE, LOW_RISK, MEDIUM_RISK
from telemetry.recorder import ScoredTransaction


@dataclass(frozen=True, slots=True)
class Prediction:
    """One model's fraud probabilities, one for each of the rows that it was given."""

    card: Card
    probabilities: list[float]


def decide_class(probability: float, threshold: float) -> str:
    """Fraud from the threshold on, inclusive."""
    return FRAUD if probability >= threshold else LEGITIMATE


def decide_risk_level(probability: float, levels: RiskLevels) -> str:
    """The level's bounds are inclusive."""
    if probability >= levels.high:
        return HIGH_RISK
    return MEDIUM_RISK if probability >= levels.medium else LOW_RISK


def decide(card: Card, transaction: Transaction, probability: float) -> ScoredTransaction:
    """The transaction with the decision of the model of `card`."""
    return ScoredTransaction(
        row=transaction.row,
        class_name=decide_class(probability, card.threshold),
        user_type=transaction.user_type,
        risk_level=decide_risk_level(probability, card.risk_levels),
        probability=probability,
        value=transaction.value,
        value_band=transaction.value_band,
    )
