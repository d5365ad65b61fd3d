"""From what probability on a transaction is called fraud: by a stated rule, on validation rows."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final, Protocol

import numpy as np
import numpy.typing as npt

from model.serving.errors import ModelError
from model.training.curve import Curve, Ranking

Floats = npt.NDArray[np.float64]
Labels = npt.NDArray[np.int8]

DEFAULT_COST_RATIO: Final = 3.0
_MARGIN: Final = 1e-7


class Rule(Protocol):
    """A rule; its text says what it promises, for the card."""

    def __str__(self) -> str: ...

    def pick(self, curve: Curve) -> int:
        """Which of the curve's thresholds; a ModelError where none keeps the rule."""
        ...


@dataclass(frozen=True)
class CostRule:
    """Least cost, where a missed fraud costs as much as `ratio` false alarms."""

    ratio: float = DEFAULT_COST_RATIO

    def __str__(self) -> str:
        return f"least cost, a missed fraud costing as much as {self.ratio:g} false alarms"

    def pick(self, curve: Curve) -> int:
        """The cheapest threshold; of equally cheap ones the highest."""
        missed, false_alarms = curve.hits[-1] - curve.hits, curve.alarms - curve.hits
        return int(np.argmin(self.ratio * missed + false_alarms))


def read_cost_ratio(rule: str) -> float | None:
    """The ratio of a CostRule out of its text, as a card keeps it; None for any other rule."""
    # Before it a card says on which rows the threshold was chosen.
    found = re.search(r"least cost, a missed fraud costing as much as (\S+) false alarms$", rule)
    return float(found[1]) if found else None


@dataclass(frozen=True)
class PrecisionRule:
    """As many frauds found as possible while a given share of the alarms is right."""

    precision: float

    def __str__(self) -> str:
        return f"most frauds found with a precision of at least {self.precision:g}"

    def pick(self, curve: Curve) -> int:
        """The lowest threshold of that precision."""
        kept = np.flatnonzero(curve.precision >= self.precision)
        if not kept.size:
            best = curve.precision.max()
            raise ModelError(
                f"no threshold has a precision of {self.precision:g} on the validation rows;"
                f" the best is {best:.3f}"
            )
        return int(kept[-1])


@dataclass(frozen=True)
class AlertRateRule:
    """As many frauds found as possible while at most a given share of all rows is alarmed."""

    rate: float

    def __str__(self) -> str:
        return f"most frauds found with at most {self.rate:g} of all transactions alarmed"

    def pick(self, curve: Curve) -> int:
        """The lowest threshold of that rate of alarms."""
        kept = np.flatnonzero(curve.alarms <= self.rate * curve.alarms[-1])
        if not kept.size:
            raise ModelError(
                f"no threshold alarms as few as {self.rate:g} of the validation rows:"
                f" {curve.alarms[0]:.0f} of {curve.alarms[-1]:.0f} share the highest score"
            )
        return int(kept[-1])


def choose_threshold(rule: Rule, target: Labels, probability: Floats) -> float:
    """The rule's threshold, inclusive, as a number of few digits that decides the same."""
    curve = Ranking(target, probability).curve()
    index = rule.pick(curve)
    level = float(curve.threshold[index])
    below = float(curve.threshold[index + 1]) if index + 1 < curve.threshold.size else 0.0
    # Off the scores themselves, where one can be: equal scores of different sums differ in their
    # last digits, and each must be on the side where the rule has it.
    for margin in (_MARGIN, 0.0):
        for digits in range(2, 9):
            rounded = round(level - margin, digits)
            if below + margin < rounded <= level - margin:
                return rounded
    return level
