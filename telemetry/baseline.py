"""The bins in which live values are counted, and their shares in training: what drift is held to.

Numbers fall into the card's bins "01", "02", … in ascending order; below the smallest and above the
largest value of the training are bins of their own. Categories and booleans are their own bins.
A value that is not known is "missing". The shares of a feature add up to 1.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from dataclasses import dataclass

BELOW, ABOVE, MISSING = "below", "above", "missing"


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

    def bins(self) -> tuple[str, ...]:
        """Every bin that a value can fall into."""
        inner = self.categories or self._numbered()
        outer = (BELOW, ABOVE) if not self.categories and math.isfinite(self.low) else ()
        return (*inner, *outer, *(() if self.missing is None else (MISSING,)))

    def bin_of(self, value: float) -> str:
        """The bin of a value of the scorer's row: a number, a category's code, NaN for missing."""
        if value != value:
            return MISSING
        if self.categories:
            return self.categories[int(value)]
        if value < self.low:
            return BELOW
        if value > self.high:
            return ABOVE
        return f"{bisect_left(self.edges, value) + 1:02d}"

    def share_of(self, bin: str) -> float:
        """Share of the training rows in the bin; 0 for below and above."""
        if bin == MISSING:
            return self.missing or 0.0
        inner = self.categories or self._numbered()
        return self.shares[inner.index(bin)] if bin in inner else 0.0

    def _numbered(self) -> tuple[str, ...]:
        return tuple(f"{number + 1:02d}" for number in range(len(self.shares)))
