"""Bounds of a share that was seen as successes among trials, after E. B. Wilson (1927)."""

from __future__ import annotations

Z95 = 1.959963984540054  # 97.5 % quantile of the normal distribution: a 95 % interval


def wilson_low(successes: str, trials: str, z: float = Z95) -> str:
    """Lower bound, `z` standard deviations out; nothing where there are no trials."""
    return _bound(successes, trials, "-", z)


def wilson_high(successes: str, trials: str, z: float = Z95) -> str:
    """Upper bound."""
    return _bound(successes, trials, "+", z)


def _bound(successes: str, trials: str, sign: str, z: float) -> str:
    misses = f"clamp_min({trials} - {successes}, 0)"
    return f"""
    (
      {successes} + {z**2 / 2}
      {sign} {z} * sqrt({successes} * {misses} / {trials} + {z**2 / 4})
    ) / (({trials} > 0) + {z**2})
    """
