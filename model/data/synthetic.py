"""Synthetic transactions whose true fraud probability is known for every row.

How a row comes about, all draws independent but as stated (LN(m, s): log-normal, median m):

    customer              premium 15 %, standard 55 %, basic 30 %
    account_balance       lo * (hi / lo) ** Beta(2, 3), (lo, hi) in euros by customer:
                          premium (10000, 250000), standard (1500, 10000), basic (10, 1500)
    amount                LN(m, 1) euros, m = 180, 60, 25, between 0.50 and 50000
    transaction_frequency Poisson(g), transactions of the last 24 hours,
                          g ~ Gamma(shape 2, mean f), f = 6, 4, 2, at most 200
    age                   18 + 72 * Beta(2, 3), whole years
    location_risk         Beta(1.6, 6), 4 digits
    time                  Unix seconds, evenly over 30 days from 2026-01-01 UTC, ascending

With a = ln(1 + amount / 50), r = location_risk, f = transaction_frequency, S = logistic function:

    logit p = B + 1.6 a + 6.5 r + 3.2 a r               large, and more so from a risky place
                + 4 S((ln(amount / (account_balance + 50)) + 1) / 0.4)     empties the account
                + 0.5 max(0, min(f, 20) - 6)                        a burst of transactions
                + 1.3 S((25 - age) / 2) + 1.3 S((age - 70) / 3)     the very young, the old

and a row is fraud with probability p. B is -10.85 for a fraud rate of 3 %; for another rate it is
set so that the mean of p over 100,000 rows of seed 0 is that rate.

Scenarios change the rows of the second half of the time, and p stays known:

    drift     amount * 1.6, location_risk -> 1 - (1 - r) ** 1.5; the same formula
    concept   the same rows, but in the formula 2 r instead of 6.5 r and 1.0 instead of 0.5 for
              transaction_frequency: other transactions are fraud than before
    burst     every tenth row comes from a risky place, location_risk ~ Beta(6, 2), in a burst,
              transaction_frequency + 8; the same formula
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import numpy.typing as npt

from model.data.scenarios import Scenario

FEATURES: Final = (
    "amount",
    "age",
    "account_balance",
    "transaction_frequency",
    "location_risk",
)
FIRST_SECOND: Final = 1_767_225_600  # 2026-01-01 00:00 UTC
PERIOD_SECONDS: Final = 30 * 86_400
FRAUD_RATE: Final = 0.03
INTERCEPT: Final = -10.85  # for FRAUD_RATE

_CUSTOMER_SHARES = (0.15, 0.55, 0.30)
_BALANCE_FROM = np.array([10_000.0, 1_500.0, 10.0])
_BALANCE_TO = np.array([250_000.0, 10_000.0, 1_500.0])
_AMOUNT_MEDIAN = np.array([180.0, 60.0, 25.0])
_FREQUENCY_MEAN = np.array([6.0, 4.0, 2.0])


Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Transactions:
    """Rows in time order: `features` (n, 5) as in FEATURES, each array else of length n."""

    features: Floats
    time: npt.NDArray[np.int64]
    fraud: npt.NDArray[np.int8]
    probability: Floats


@dataclass(frozen=True)
class Formula:
    """The numbers of the formula that a rate or a scenario changes."""

    intercept: float = INTERCEPT
    risk: float = 6.5
    frequency: float = 0.5


def generate(
    rows: int, seed: int, fraud_rate: float = FRAUD_RATE, scenario: Scenario = "steady"
) -> Transactions:
    """The same rows for the same arguments; `fraud` is 0 or 1, `probability` is the true one."""
    random = np.random.default_rng(seed)
    features = _draw_features(random, rows)
    time = np.sort(random.integers(0, PERIOD_SECONDS, rows)) + FIRST_SECOND
    later = time >= FIRST_SECOND + PERIOD_SECONDS // 2
    draw = random.random(rows)
    before = Formula(_find_intercept(fraud_rate))
    after = replace(before, risk=2.0, frequency=1.0) if scenario == "concept" else before
    features[later] = _apply_scenario(random, features[later], scenario)
    probability = true_probability(features, before)
    probability[later] = true_probability(features[later], after)
    return Transactions(features, time, (draw < probability).astype(np.int8), probability)


def true_probability(features: Floats, formula: Formula = Formula()) -> Floats:
    """The formula of this module's docstring; columns as in FEATURES."""
    amount, age, balance, frequency, risk = features.T
    size = np.log1p(amount / 50)
    logit = formula.intercept + 1.6 * size + formula.risk * risk + 3.2 * size * risk
    logit += 4 * _logistic((np.log(amount / (balance + 50)) + 1) / 0.4)
    logit += formula.frequency * np.maximum(0, np.minimum(frequency, 20) - 6)
    logit += 1.3 * _logistic((25 - age) / 2) + 1.3 * _logistic((age - 70) / 3)
    return _logistic(logit)


def _draw_features(random: np.random.Generator, rows: int) -> Floats:
    customer = random.choice(3, size=rows, p=_CUSTOMER_SHARES)
    return np.column_stack(
        [
            _draw_amounts(random, customer),
            np.floor(18 + 72 * random.beta(2, 3, rows)),
            _draw_balances(random, customer),
            _draw_frequencies(random, customer),
            np.round(random.beta(1.6, 6, rows), 4),
        ]
    )


def _apply_scenario(random: np.random.Generator, features: Floats, scenario: Scenario) -> Floats:
    """The rows as a scenario has them; the scenarios' text is the module's docstring."""
    amount, age, balance, frequency, risk = features.T.copy()
    if scenario == "drift":
        amount = np.round(np.minimum(amount * 1.6, 50_000), 2)
        risk = np.round(1 - (1 - risk) ** 1.5, 4)
    if scenario == "burst":
        tenth = np.arange(len(features)) % 10 == 0
        risk = np.where(tenth, np.round(random.beta(6, 2, len(features)), 4), risk)
        frequency = np.where(tenth, np.minimum(frequency + 8, 200), frequency)
    return np.column_stack([amount, age, balance, frequency, risk])


def _find_intercept(fraud_rate: float) -> float:
    """The formula's B for this rate, by bisection."""
    if fraud_rate == FRAUD_RATE:
        return INTERCEPT
    features = _draw_features(np.random.default_rng(0), 100_000)
    low, high = -40.0, 20.0
    for _ in range(60):
        middle = (low + high) / 2
        rate = true_probability(features, Formula(middle)).mean()
        low, high = (low, middle) if rate > fraud_rate else (middle, high)
    return low


def _draw_amounts(random: np.random.Generator, customer: npt.NDArray[np.int64]) -> Floats:
    amounts = _AMOUNT_MEDIAN[customer] * np.exp(random.standard_normal(customer.size))
    rounded: Floats = np.round(np.clip(amounts, 0.5, 50_000), 2)
    return rounded


def _draw_balances(random: np.random.Generator, customer: npt.NDArray[np.int64]) -> Floats:
    low, high = _BALANCE_FROM[customer], _BALANCE_TO[customer]
    rounded: Floats = np.round(low * (high / low) ** random.beta(2, 3, customer.size), 2)
    return rounded


def _draw_frequencies(random: np.random.Generator, customer: npt.NDArray[np.int64]) -> Floats:
    rate = random.gamma(2, _FREQUENCY_MEAN[customer] / 2)
    return np.minimum(random.poisson(rate), 200).astype(np.float64)


def _logistic(x: Floats) -> Floats:
    return 1 / (1 + np.exp(-x))
