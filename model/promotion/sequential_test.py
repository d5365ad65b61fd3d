"""Is the challenger better? A sequential test from labelled outcomes: valid at every look.

The gain d of one outcome, from the two decisions on it: a fraud that only the challenger catches
+u, only the champion -u; a false alarm that only the champion raises +v, only the challenger -v;
else 0. u and v are the costs of a missed fraud and of a false alarm, the dearer one being 1.

Testing by betting: starting from wealth 1, a fraction b of it is bet on "better" at each outcome,
so the wealth is the product of (1 + b d). Under the null hypothesis (the mean of d is at most 0)
it is a test supermartingale for every b in [0, 1], and so is its mean over all b: an e-process. By
Ville's inequality (1939) it ever reaches 1/alpha with a probability of at most alpha, at whatever
moments one looks. Mixtures of bets: I. Waudby-Smith and A. Ramdas, "Estimating means of bounded
random variables by betting", JRSS B 86, 2024. The wealth depends on how often each gain occurred
and not on the order: counters are enough. The gains' bounds are the test inverted: a confidence
sequence.

All outcomes since a fixed moment must be in it. A window that moves along would be another test at
each look, without this promise.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
import numpy.typing as npt

Verdict = Literal["promote", "keep", "not enough labels"]

# Beyond this many e-folds under its peak the integrand adds nothing that a float64 can hold.
_FOLDS: Final = 45.0
_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(60)
_PANELS: Final = 6
_HALVINGS: Final = 60

Floats = npt.NDArray[np.float64]
LogWealth = Callable[[Floats], Floats]


@dataclass(frozen=True)
class PairedOutcomes:
    """Labelled outcomes by whose decision was right: `better` the challenger's alone, `worse` the
    champion's alone."""

    frauds_better: float = 0.0
    frauds_worse: float = 0.0
    alarms_better: float = 0.0
    alarms_worse: float = 0.0
    alike: float = 0.0

    @property
    def outcomes(self) -> float:
        """All of them."""
        apart = self.frauds_better + self.frauds_worse + self.alarms_better + self.alarms_worse
        return apart + self.alike


@dataclass(frozen=True)
class Comparison:
    """What the outcomes say. Gains are a missed fraud's (or false alarm's, if dearer) cost per
    outcome; each bound alone holds at all times together with probability 1 - alpha. Evidence is
    the logarithm of the e-process, to base 10."""

    verdict: Verdict
    gain: float
    gain_low: float
    gain_high: float
    evidence_better: float
    evidence_worse: float
    evidence_needed: float


def compare_models(paired: PairedOutcomes, cost_ratio: float, alpha: float) -> Comparison:
    """Promote, keep, or not enough labels; a missed fraud costs `cost_ratio` false alarms.

    If the challenger is not better, the chance that any look ever says `promote` is at most alpha;
    if it is not worse, that any says `keep`.
    """
    gains, counts = _tabulate_gains(paired, cost_ratio)
    needed = -math.log(alpha)
    better, worse = log_e_process(gains, counts, 0.0), log_e_process(-gains, counts, 0.0)
    verdict: Verdict = "not enough labels"
    if better >= needed:
        verdict = "promote"
    elif worse >= needed:
        verdict = "keep"
    return Comparison(
        verdict=verdict,
        gain=float(gains @ counts) / max(paired.outcomes, 1.0),
        gain_low=_find_lower_bound(gains, counts, needed),
        gain_high=-_find_lower_bound(-gains, counts, needed),
        evidence_better=better / math.log(10),
        evidence_worse=worse / math.log(10),
        evidence_needed=needed / math.log(10),
    )


def log_e_process(gains: Floats, counts: Floats, mean: float) -> float:
    """Natural logarithm of the e-process against "the mean of the gains is at most `mean`".

    Gains in [-1, 1]. The bet is uniform up to 1 / (1 + mean), at which the worst gain takes all.
    """
    slopes = ((gains - mean) / (1 + mean))[counts > 0]
    counts = counts[counts > 0]
    if not counts.size:
        return 0.0

    def log_wealth(bets: Floats) -> Floats:
        product: Floats = np.log1p(np.outer(bets, slopes)) @ counts
        return product

    peak = _find_peak(slopes, counts)
    height = float(log_wealth(np.array([peak]))[0])
    edges = (_find_edge(log_wealth, peak, 0.0, height), _find_edge(log_wealth, peak, 1.0, height))
    parts = [_place_nodes(edges[0], peak), _place_nodes(peak, edges[1])]
    bets, weights = (np.concatenate(both) for both in zip(*parts, strict=True))
    return height + math.log(float(weights @ np.exp(log_wealth(bets) - height)))


def _tabulate_gains(paired: PairedOutcomes, cost_ratio: float) -> tuple[Floats, Floats]:
    dearer = max(cost_ratio, 1.0)
    fraud, alarm = cost_ratio / dearer, 1 / dearer
    counts = [paired.frauds_better, paired.frauds_worse, paired.alarms_better, paired.alarms_worse]
    gains = np.array([fraud, -fraud, alarm, -alarm, 0.0])
    return gains, np.array([*counts, paired.alike], dtype=np.float64)


def _find_peak(slopes: Floats, counts: Floats) -> float:
    """The bet at which the product, whose logarithm is concave, is largest."""

    def is_rising(bet: float) -> bool:
        return float(counts @ (slopes / (1 + bet * slopes))) > 0

    low, high = 0.0, 1.0 - 1e-12
    if not is_rising(low):
        return low
    if is_rising(high):
        return high
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        low, high = (middle, high) if is_rising(middle) else (low, middle)
    return low


def _find_edge(log_wealth: LogWealth, peak: float, end: float, height: float) -> float:
    """From the peak towards `end`: where the product is _FOLDS lower, or the end."""
    inside, outside = peak, end
    near_end = np.array([end * (1 - 1e-12)])
    if height - float(log_wealth(near_end)[0]) <= _FOLDS:
        return end
    for _ in range(_HALVINGS):
        middle = (inside + outside) / 2
        deep = height - float(log_wealth(np.array([middle]))[0]) > _FOLDS
        inside, outside = (inside, middle) if deep else (middle, outside)
    return outside


def _place_nodes(low: float, high: float) -> tuple[Floats, Floats]:
    """Nodes and weights of Gauss and Legendre on equal parts of the way from low to high."""
    edges = np.linspace(low, high, _PANELS + 1)
    middles, halves = (edges[1:] + edges[:-1]) / 2, np.diff(edges) / 2
    nodes = middles[:, None] + halves[:, None] * _NODES
    return nodes.ravel(), (halves[:, None] * _WEIGHTS).ravel()


def _find_lower_bound(gains: Floats, counts: Floats, needed: float) -> float:
    """The largest mean of gains that the e-process rejects, from below; -1 if none."""
    low, high = -1.0 + 1e-9, 1.0
    if log_e_process(gains, counts, low) < needed:
        return -1.0
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        against = log_e_process(gains, counts, middle) >= needed
        low, high = (middle, high) if against else (low, middle)
        if high - low < 1e-9:
            break
    return low
