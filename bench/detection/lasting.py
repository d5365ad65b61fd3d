"""The test of small shifts that last in numpy, as recordings/lasting.py of the rules states it.

tests/bench/test_grid.py holds it to the rules.
"""

from __future__ import annotations

from math import log

import numpy as np

from bench.detection.conditions import Flags, Floats
from prometheus.generator.durations import parse_duration
from prometheus.generator.recordings.lasting import BLOCK, FAR, MOST, NEAR
from prometheus.generator.thresholds import Thresholds

SECONDS = parse_duration(BLOCK)
STEP = SECONDS // 60  # minutes


def evidence(
    counts: Floats, base: Floats, limits: Thresholds, design_effect: float = 1.0
) -> Floats:
    """S after each block, of the counts by block and bin; no bin of the baseline may be empty."""
    shares = np.roll(_shares_to_bet_on(counts, base, limits), 1, axis=0)
    shares[0] = base
    bet = np.log(0.5 + 0.5 * shares / base) - 3 / 8 * limits.lasting.tolerance
    gains = (counts * bet).sum(-1) / design_effect
    found, total = np.zeros(len(gains)), 0.0
    for place, gain in enumerate(gains):
        total = min(max(total, 0.0) + gain, MOST)
        found[place] = total
    return found


def lasts(found: Floats, limits: Thresholds, features: int) -> Flags:
    """The condition of FeatureDrift, of one of so many features, after each block."""
    blocks = parse_duration(limits.lasting.hold) // SECONDS
    least = log(features * limits.lasting.years * 365 * 86_400 / SECONDS)
    above = np.cumsum(np.concatenate([np.zeros(blocks), found > least]))
    return np.asarray(above[blocks:] - above[:-blocks] >= blocks)


def _shares_to_bet_on(counts: Floats, base: Floats, limits: Thresholds) -> Floats:
    """Of the last hour, of the last day where that has too few, else the baseline's: no bet."""
    found = np.broadcast_to(base, counts.shape).copy()
    for window in (FAR, NEAR):
        blocks = parse_duration(window) // SECONDS
        total = np.cumsum(counts, axis=0)
        total[blocks:] -= total[:-blocks].copy()
        rows = total.sum(-1)
        enough = rows >= limits.drift.minimum_count
        found[enough] = total[enough] / rows[enough, None]
    return found
