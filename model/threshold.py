"""From what probability on a transaction is called fraud: by a stated rule, on validation rows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Labels = npt.NDArray[np.int8]

DEFAULT_COST_RATIO: Final = 3.0


@dataclass(frozen=True)
class CostRule:
    """Least cost, where a missed fraud costs as much as `ratio` false alarms."""

    ratio: float = DEFAULT_COST_RATIO

    def __str__(self) -> str:
        return f"least cost on the validation rows, a missed fraud costing {self.ratio:g} alarms"

    def threshold(self, target: Labels, probability: Floats) -> float:
        """The cheapest threshold; of equally cheap ones the highest."""
        levels, alarms, hits = _cumulated(target, probability)
        cost = self.ratio * (int(target.sum()) - hits) + (alarms - hits)
        return _between(levels, int(np.argmin(cost)))


def _cumulated(target: Labels, probability: Floats) -> tuple[Floats, Floats, Floats]:
    """Distinct probabilities, descending, with the alarms and hits of each as the threshold."""
    order = np.argsort(-probability, kind="stable")
    ranked = probability[order]
    last = np.append(np.flatnonzero(np.diff(ranked)), ranked.size - 1)
    hits = np.cumsum(target[order], dtype=np.float64)[last]
    return ranked[last], (last + 1).astype(np.float64), hits


def _between(levels: Floats, index: int) -> float:
    """A round number from the gap below a level: the same decision, readable on a dashboard."""
    level = float(levels[index])
    below = float(levels[index + 1]) if index + 1 < levels.size else 0.0
    for digits in range(2, 9):
        rounded = round(level, digits)
        if below < rounded <= level:
            return rounded
    return level
