"""What the rules recorded of known transactions, and the statistics that they are compared with."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from tests.lab.prometheus import Prometheus
from tests.prometheus.rules.transactions import (
    BASELINE,
    Transactions,
    draw,
)

PARTS = [draw(2000, 1), draw(1500, 2)]
LABEL_WINDOWS = ("1d", "7d")


def join_parts() -> Transactions:
    """The transactions of all instances."""

    def join(name: str) -> npt.NDArray[Any]:
        return np.concatenate([getattr(part, name) for part in PARTS])

    return Transactions(
        probability=join("probability"),
        truth=join("truth"),
        decision=join("decision"),
        user_type=join("user_type"),
        value_band=join("value_band"),
        features={
            name: np.concatenate([part.features[name] for part in PARTS]) for name in BASELINE
        },
    )


ALL = join_parts()


class Recorded:
    """What the rules recorded until `asked`, read at the moment at which one was evaluated."""

    def __init__(self, prometheus: Prometheus, asked: float) -> None:
        self.prometheus = prometheus
        self.asked = asked

    def moment(self, selector: str) -> float:
        """When the selected series was recorded last."""
        found = self.prometheus.number(f"max(timestamp({selector}))", self.asked)
        assert found is not None, f"nothing recorded: {selector}"
        return found

    def value(self, selector: str, at: float | None = None) -> float:
        """The only series selected."""
        moment = self.moment(selector) if at is None else at
        found = self.prometheus.number(f"sum({selector})", moment)
        assert found is not None, f"nothing recorded: {selector}"
        return found

    def by(self, label: str, selector: str, at: float) -> dict[str, float]:
        """Values of the selected series by one of their labels."""
        return {labels[label]: value for labels, value in self.prometheus.query(selector, at)}


def has_settled(prometheus: Prometheus, pushed: float) -> bool:
    """True when every group, some each 4 s, was evaluated after the last push."""
    gaps = [f'max(timestamp(job:expected:gap{w}{{measure="recall"}}))' for w in LABEL_WINDOWS]
    moments = [prometheus.number(gap) or 0 for gap in gaps]
    return all(moment > pushed + 5.6 for moment in moments)


def psi(live: npt.NDArray[Any], base: npt.NDArray[Any], base_rows: float) -> float:
    """As drift.py states it, bin by bin."""
    rows, total = live.sum(), 0.0
    for count, share in zip(live, base, strict=True):
        p, q = count / rows, share
        if p == 0:
            p = min(0.5 / rows, q)
        if q == 0:
            q = min(0.5 / base_rows, p)
        total += 0.0 if p == q else (p - q) * np.log(p / q)
    return total
