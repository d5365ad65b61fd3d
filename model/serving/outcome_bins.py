"""The bins of the probability in which outcomes are counted, and calibration is measured."""

from __future__ import annotations

from typing import Final

# Upper bounds, inclusive; finer where the scores of rare fraud lie.
OUTCOME_BOUNDS: Final = (
    0.001, 0.0025, 0.005, 0.01, 0.02, 0.03, 0.05, 0.075, 0.1, 0.15,
    0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 1.0,
)  # fmt: skip
