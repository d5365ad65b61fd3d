"""From a model's probability to what is decided and counted."""

from __future__ import annotations

import math
from collections.abc import Sequence

import msgspec

from model.serving.card import Card, RiskLevels
from model.serving.features import Transaction
from model.serving.scorer import Scorer
from model.serving.vocabulary import FRAUD, HIGH_RISK, LEGITIMATE, LOW_RISK, MEDIUM_RISK
from telemetry.prediction_counts import ScoredTransaction


class Prediction(msgspec.Struct, frozen=True):
    """One model's fraud probabilities, one for each of the rows that it was given."""

    card: Card
    probabilities: list[float]


def score_rows(scorer: Scorer, rows: Sequence[Sequence[float]]) -> list[float]:
    """The model's fraud probabilities; ArithmeticError where one is not a number.

    As of a feature without bounds that is so large that sums of it overflow: to be counted it would
    make a sum of scores no number for ever.
    """
    probabilities = scorer.score(rows)
    if not math.isfinite(sum(probabilities)):
        raise ArithmeticError("the model gave no probability")
    return probabilities


def decide_class(probability: float, threshold: float) -> str:
    """Fraud from the threshold on, inclusive."""
    return FRAUD if probability >= threshold else LEGITIMATE


def decide_risk_level(probability: float, levels: RiskLevels) -> str:
    """The level's bounds are inclusive."""
    if probability >= levels.high:
        return HIGH_RISK
    return MEDIUM_RISK if probability >= levels.medium else LOW_RISK


def decide_all(
    prediction: Prediction, transactions: Sequence[Transaction]
) -> list[ScoredTransaction]:
    """The transactions with the decisions of the model that made the prediction."""
    pairs = zip(transactions, prediction.probabilities, strict=True)
    return [decide(prediction.card, one, probability) for one, probability in pairs]


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
