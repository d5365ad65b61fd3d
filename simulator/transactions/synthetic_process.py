"""The documented process of the default model: its transactions and their true probability.

A restatement, with the standard library alone, of what model/data/synthetic.py documents and
draws; a test holds the two equal. Whoever changes one changes the other.
"""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right
from dataclasses import dataclass
from random import Random
from typing import Final

from simulator.contract.model_info import Feature, ModelInfo
from simulator.transactions.random_numbers import draw_standard_normal

Row = dict[str, float]

FEATURES: Final = (
    "amount",
    "age",
    "account_balance",
    "transaction_frequency",
    "location_risk",
)
INTEGER_FEATURES: Final = frozenset({"age", "transaction_frequency"})
FRAUD_RATE: Final = 0.03


@dataclass(frozen=True)
class Segment:
    """A kind of customers: its share, balances in euros, median amount in euros, mean frequency."""

    share: float
    balance_from: float
    balance_to: float
    median_amount: float
    mean_frequency: float


# Premium, standard and basic customers.
_SEGMENTS: Final = (
    Segment(0.15, 10_000.0, 250_000.0, 180.0, 6.0),
    Segment(0.55, 1_500.0, 10_000.0, 60.0, 4.0),
    Segment(0.30, 10.0, 1_500.0, 25.0, 2.0),
)

# A decile of the card may lie so far from its rank here: what 2,000 rows are uncertain by, and a
# training on few rows.
_RANK_TOLERANCE: Final = 0.05
_SAMPLE_ROWS: Final = 2_000


@dataclass(frozen=True)
class Formula:
    """The numbers of the formula that a scenario changes."""

    intercept: float = -10.85
    risk: float = 6.5
    frequency: float = 0.5


STEADY_FORMULA: Final = Formula()
CONCEPT_FORMULA: Final = Formula(risk=2.0, frequency=1.0)


def draw_row(random: Random) -> Row:
    """One transaction. Only Random.random() is used: it alone is the same in every Python."""
    segment = _draw_segment(random)
    amount = segment.median_amount * math.exp(draw_standard_normal(random))
    age = math.floor(18 + 72 * _draw_beta(2, 3, random))
    balances = segment.balance_to / segment.balance_from
    balance = segment.balance_from * balances ** _draw_beta(2, 3, random)
    frequency = _draw_poisson(_draw_gamma_of_shape_two(segment.mean_frequency, random), random)
    return {
        "amount": round(min(max(amount, 0.5), 50_000.0), 2),
        "age": age,
        "account_balance": round(balance, 2),
        "transaction_frequency": min(frequency, 200),
        "location_risk": round(_draw_location_risk(random), 4),
    }


def apply_drift(row: Row) -> Row:
    """The row in the scenario drift: a larger amount, a riskier place."""
    amount, risk = row["amount"], row["location_risk"]
    return {
        **row,
        "amount": round(min(amount * 1.6, 50_000.0), 2),
        "location_risk": round(1 - (1 - risk) ** 1.5, 4),
    }


def apply_fraud_burst(row: Row, random: Random) -> Row:
    """The row as one of a fraud burst: from a risky place, after many others."""
    return {
        **row,
        "location_risk": round(_draw_beta(6, 2, random), 4),
        "transaction_frequency": min(row["transaction_frequency"] + 8, 200),
    }


def true_probability(row: Row, formula: Formula = STEADY_FORMULA) -> float:
    """The probability with which the transaction is fraud."""
    amount, balance, risk = row["amount"], row["account_balance"], row["location_risk"]
    size = math.log1p(amount / 50)
    logit = formula.intercept + 1.6 * size + formula.risk * risk + 3.2 * size * risk
    logit += 4 * _logistic((math.log(amount / (balance + 50)) + 1) / 0.4)
    logit += formula.frequency * max(0.0, min(row["transaction_frequency"], 20) - 6)
    logit += 1.3 * _logistic((25 - row["age"]) / 2) + 1.3 * _logistic((row["age"] - 70) / 3)
    return _logistic(logit)


def matches_process(info: ModelInfo) -> bool:
    """True for a model of this process: the same features, their deciles, its rate of fraud."""
    names = {feature.name for feature in info.features}
    if names != set(FEATURES) or not _matches_fraud_rate(info):
        return False
    random = Random("the process's own quantiles")
    rows = [draw_row(random) for _ in range(_SAMPLE_ROWS)]
    return all(_matches_quantiles(f, sorted(row[f.name] for row in rows)) for f in info.features)


def _matches_fraud_rate(info: ModelInfo) -> bool:
    if not info.holdout_rows:
        return False
    four_deviations = 4 * math.sqrt(FRAUD_RATE * (1 - FRAUD_RATE) / info.holdout_rows)
    return abs(info.holdout_frauds / info.holdout_rows - FRAUD_RATE) <= 0.005 + four_deviations


def _matches_quantiles(feature: Feature, sample: list[float]) -> bool:
    """Whether each inner quantile of the card has nearly its rank among the sampled values."""
    last = len(feature.quantiles) - 1
    if last < 2:
        return False
    return all(
        bisect_left(sample, value) / len(sample) - _RANK_TOLERANCE
        <= place / last
        <= bisect_right(sample, value) / len(sample) + _RANK_TOLERANCE
        for place, value in enumerate(feature.quantiles[1:-1], start=1)
    )


def _draw_segment(random: Random) -> Segment:
    rank = random.random()
    for segment in _SEGMENTS[:-1]:
        rank -= segment.share
        if rank < 0:
            return segment
    return _SEGMENTS[-1]


def _draw_beta(first: int, second: int, random: Random) -> float:
    """Beta(first, second): the first-th smallest of first + second - 1 even draws."""
    return sorted(random.random() for _ in range(first + second - 1))[first - 1]


def _draw_location_risk(random: Random) -> float:
    """Beta(1.6, 6): draws of Beta(1, 6), each taken with probability x ** 0.6."""
    while True:
        x: float = 1 - random.random() ** (1 / 6)
        if random.random() < x**0.6:
            return x


def _draw_gamma_of_shape_two(mean: float, random: Random) -> float:
    """Gamma of shape 2: the sum of two exponential draws of half the mean."""
    return -mean / 2 * (math.log1p(-random.random()) + math.log1p(-random.random()))


def _draw_poisson(mean: float, random: Random) -> int:
    """Events before the product of even draws falls under exp(-mean) (Knuth); means are small."""
    limit, product, events = math.exp(-mean), random.random(), 0
    while product > limit:
        product *= random.random()
        events += 1
    return events


def _logistic(x: float) -> float:
    return 1 / (1 + math.exp(-x))
