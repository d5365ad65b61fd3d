"""The bins in which live values are counted, and their shares in training: the drift baseline.

Numbers fall into the card's bins "01", "02", … in ascending order; below the smallest and above the
largest value of the training are bins of their own. Categories and booleans are their own bins.
A value that is not known is "missing". The shares of a feature add up to 1.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

BELOW, ABOVE, MISSING = "below", "above", "missing"


def bin_label(index: int) -> str:
    """The label of the bin with this index, from 0 on: "01", "02", …"""
    return f"{index + 1:02d}"


def bin_labels(count: int) -> tuple[str, ...]:
    """The labels of so many bins, in ascending order."""
    return tuple(bin_label(index) for index in range(count))


def write_number(number: float) -> str:
    """To four digits, whole ones as they are; by thousands, and without an exponent up to 1e12."""
    rounded = number if number == round(number) else float(f"{number:.4g}")
    if abs(rounded) >= 1e12:
        return f"{rounded:.4g}"
    return f"{rounded:,.0f}" if abs(rounded) >= 1000 else f"{rounded:.4g}"


@dataclass(frozen=True)
class Baseline:
    """The bins of one feature, or of the score.

    `edges` are the inner bounds of a number's bins, ascending, each the upper end of its bin,
    inclusive; `low` and `high` the training's extremes. `categories` (in the order of their codes)
    take their place where the feature has some. `shares` go with the bins or the categories.
    """

    name: str
    shares: tuple[float, ...]
    edges: tuple[float, ...] = ()
    low: float = -math.inf
    high: float = math.inf
    categories: tuple[str, ...] = ()
    missing: float | None = None
    """Share of the training rows without a value; None where a value is always there."""
    calendar: bool = False
    """Its values follow the hour or the day of the week."""

    def bins(self) -> tuple[str, ...]:
        """Every bin that a value can fall into."""
        inner = self.categories or bin_labels(len(self.shares))
        outer = (BELOW, ABOVE) if not self.categories and math.isfinite(self.low) else ()
        return (*inner, *outer, *(() if self.missing is None else (MISSING,)))

    def range_of(self, bin: str) -> str:
        """What the bin holds, for people: "12.5 to 24", "below 1"; a category is its own name."""
        if self.categories or bin == MISSING:
            return bin
        if bin in (BELOW, ABOVE):
            return f"{bin} {write_number(self.low if bin == BELOW else self.high)}"
        index = bin_labels(len(self.shares)).index(bin)
        bounds = (self.low, *self.edges, self.high)
        lower, upper = bounds[index : index + 2]
        if math.isinf(lower):
            return f"up to {write_number(upper)}"
        return (
            f"over {write_number(lower)}"
            if math.isinf(upper)
            else (f"{write_number(lower)} to {write_number(upper)}")
        )

    def share_of(self, bin: str) -> float:
        """Share of the training rows in the bin; 0 for below and above."""
        if bin == MISSING:
            return self.missing or 0.0
        inner = self.categories or bin_labels(len(self.shares))
        return self.shares[inner.index(bin)] if bin in inner else 0.0
