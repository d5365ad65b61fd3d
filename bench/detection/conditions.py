"""The conditions of the alerts in numpy, as the rules state them; for studies by simulation.

They are held against Prometheus by tests/prometheus/rules (test_reference.py, test_recorded*.py).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from prometheus.generator.thresholds import Thresholds

Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]


def psi(counts: Floats, base: Floats, rows: float) -> Floats:
    """As prometheus/generator/recordings/drift.py states it; the bins are the last axis."""
    count = np.maximum(counts.sum(-1, keepdims=True), 1)
    live = counts / count
    p = np.where(live > 0, live, np.minimum(0.5 / count, base))
    if base.all():
        return np.asarray(((p - base) * np.log(p / base)).sum(-1))
    q = np.where(base > 0, base, np.minimum(0.5 / rows, p))
    same = p == q
    terms: Floats = np.where(same, 0, (p - q) * np.log(np.where(same, 1, p / np.where(same, 1, q))))
    return np.asarray(terms.sum(-1))


def distance(counts: Floats, base: Floats) -> Floats:
    """Vincze's and Le Cam's, as drift.py states it; the bins are the last axis."""
    live = counts / np.maximum(counts.sum(-1, keepdims=True), 1)
    both = live + base
    return np.asarray(2 * ((live - base) ** 2 / np.where(both > 0, both, 1)).sum(-1))


@dataclass(frozen=True)
class Judgement:
    """How a window's PSI is judged: its limit, and what chance is taken to give.

    `features`: FeatureDrift is one alert of so many. `design_effect`: of repeated transactions.
    """

    window: str
    limits: Thresholds
    features: int = 1
    design_effect: float = 1.0

    def is_drift(
        self, value: Floats, far: Floats, count: Floats, base: Floats, rows: float
    ) -> Flags:
        """The condition of FeatureDrift and ScoreDrift, given both measures of so many values."""
        drift, freedom = self.limits.drift, np.count_nonzero(base) - 1
        expected = freedom * (self.design_effect / np.maximum(count, 1) + 1 / rows)
        spread = 2 / 9 / freedom
        sigmas = np.sqrt(drift.sigmas**2 + 2 * np.log(self.features))
        chance = expected * (1 - spread + sigmas * np.sqrt(spread)) ** 3
        large = (value - expected > drift.psi[self.window]) & (far > chance)
        return np.asarray(large & (count >= drift.minimum_count))

    def has_drifted(self, counts: Floats, base: Floats, rows: float) -> Flags:
        """The condition at each moment, of counts by bin."""
        value, far = psi(counts, base, rows), distance(counts, base)
        return self.is_drift(value, far, counts.sum(-1), base, rows)


def excess_deviation(
    count: Floats, rows: Floats, reference: Floats, reference_rows: Floats
) -> Floats:
    """As prometheus/generator/recordings/two_counts.py states it; minus infinity for no count."""
    some = np.maximum(count, 1e-9)
    own, other = 1 / 9 / some, 1 / 9 / (reference + 1)
    ratio = rows / reference_rows * (reference + 1) / some
    z = ((1 - own) - (1 - other) * ratio ** (1 / 3)) / np.sqrt(own + other * ratio ** (2 / 3))
    return np.where(count > 0, z, -np.inf)


def excess_over_expected(count: Floats, expected: Floats, variance: Floats) -> Floats:
    """As two_counts.py states it; minus infinity for no count."""
    own = 1 / 9 / np.maximum(count * expected / variance, 1e-9)
    ratio = expected / np.maximum(count, 1e-9)
    return np.where(count > 0, (1 - own - ratio ** (1 / 3)) / np.sqrt(own), -np.inf)


def shortfall_of_expected(count: Floats, expected: Floats, variance: Floats) -> Floats:
    """As two_counts.py states it."""
    next_up = count * expected / variance + 1
    own, ratio = 1 / 9 / next_up, expected**2 / variance / next_up
    return np.asarray((ratio ** (1 / 3) - 1 + own) / np.sqrt(own))


def has_other_ratio(
    observed: Floats,
    expected: Floats,
    variance: Floats,
    limits: Thresholds,
    design_effect: float = 1.0,
) -> Flags:
    """The condition of CalibrationBroken's fraud_ratio."""
    quality, ratio = limits.quality, observed / expected
    least, variance = quality.minimum_trials * design_effect, variance * design_effect
    rise = excess_over_expected(observed, expected, variance) > quality.sigmas
    fall = shortfall_of_expected(observed, expected, variance) > quality.sigmas
    more = rise & (ratio > quality.calibration_factor) & (observed >= least)
    less = fall & (ratio < 1 / quality.calibration_factor) & (expected >= least)
    return more | less


def has_jumped(
    count: Floats,
    rows: Floats,
    reference: float,
    reference_rows: float,
    window: str,
    limits: Thresholds,
    design_effect: Floats | float = 1.0,
) -> Flags:
    """The condition of FraudRateJump and MeanScoreJump; the reference is the holdout."""
    rates, factor = limits.rates, limits.rates.factor[window]
    enough = rows >= rates.minimum_count
    count, rows = count / design_effect, np.maximum(rows / design_effect, 1e-9)
    held, held_rows = np.full_like(count, reference), np.full_like(count, reference_rows)
    live, usual = count / rows, reference / reference_rows
    rise = excess_deviation(count, rows, held, held_rows)
    rises = (live > factor * usual) & (rise > rates.sigmas) & (count >= rates.minimum_frauds)
    fall = excess_deviation(held, held_rows, count, rows)
    falls = (live < usual / factor) & (fall > rates.sigmas)
    return np.asarray(enough & (rises | falls))
