"""Small shifts that last: a test that stays valid though one looks at it again and again.

Each block of 4 minutes is bet on: with k_b values in bin b, q the baseline and p the live shares of
the last hour (of the last day where that has too few) as they were before the block,

    ln E = sum over bins of k_b ln(1/2 + 1/2 p_b / q_b)

is the log of a likelihood ratio whose mean is 1 without drift, whatever p is, because p was known
before (a betting e-value; A. Ramdas, P. Gruenwald, V. Vovk and G. Shafer, Game-theoretic statistics
and safe anytime-valid inference, Statistical Science 38(4), 2023). From it `tolerance` is taken for
each value, so that a shift whose PSI is not above it never adds up, and it is divided by the
design effect: both can only make the mean of E smaller (identical rows at once: exactly as many
bets on one). Added up from 0 on and never below it,

    S = max(S before, 0) + ln E - 3/8 tolerance sum k_b        (at most `most`)

is the CUSUM e-detector of J. Shin, A. Ramdas and A. Rinaldo (E-detectors: a nonparametric framework
for sequential change detection, New England Journal of Statistics in Data Science 2(2), 2024): the
mean time until it first is above ln A is at least A blocks. Over F features their mean is one, too,
so above ln(F A) it is at least A blocks for all of them together.

It is proved for independent values with the baseline's distribution. The baseline's own error, and
shifts within the tolerance, are what the tolerance is for. A block that is missed, or whose samples
come too late, is a bet that was not made. With two models in a day it begins anew.
"""

from __future__ import annotations

from collections.abc import Iterator
from math import log

from prometheus.generator.durations import Durations, parse_duration
from prometheus.generator.promql import sum_increase
from prometheus.generator.recordings.baseline import DISTRIBUTIONS, Distribution, unless_two_models
from prometheus.generator.recordings.design_effect import effective
from prometheus.generator.rule import Record
from prometheus.generator.thresholds import Thresholds

BLOCK = "4m"  # also how often it is evaluated
NEAR, FAR = "1h", "24h"  # the windows whose shares are bet on
MOST = 25  # of S, so that it falls soon when the shift is over; ln(F A) must be less
_YEAR = 365 * 86_400


def record_lasting(durations: Durations, limits: Thresholds) -> tuple[Record, ...]:
    """S of the features and of the score; for a group that is evaluated each BLOCK."""
    return tuple(rule for each in DISTRIBUTIONS for rule in _record_sum(each, durations, limits))


def evidence(of: Distribution) -> str:
    """Name of the recorded S."""
    return of.name("evidence", BLOCK)


def most_by_chance(of: Distribution, limits: Thresholds) -> str:
    """ln(F A): S is above it once in `years` on average, over all features."""
    blocks = log(limits.lasting.years * _YEAR / parse_duration(BLOCK))
    return f"({blocks:.4g} + ln(count by (job) ({evidence(of)})))"


def _record_sum(of: Distribution, durations: Durations, limits: Thresholds) -> Iterator[Record]:
    span, base = durations(BLOCK), of.baseline_share(NEAR)
    counts = sum_increase(f"{of.counter}_total", span, f"{of.labels}, bin")
    shares = f"({_earlier(of, NEAR, span)} or {_earlier(of, FAR, span)})"
    # What one block adds: the bet, less what a tolerated shift would add.
    gain = of.name("gain", BLOCK)
    bet = f"ln(0.5 + 0.5 * {shares} / ({base} > 0)) - {3 / 8 * limits.lasting.tolerance:g}"
    yield Record(gain, f"sum by ({of.labels}) (\n{counts}\n* ({bet}))")
    # The sum, from 0 on.
    before = f"last_over_time({evidence(of)}[{durations('1d')}]) {unless_two_models(FAR)}"
    first = f"clamp_min({before} or 0 * {gain}, 0)"
    yield Record(evidence(of), f"clamp_max({first} + ({effective(gain, FAR)}), {MOST})")


def _earlier(of: Distribution, window: str, span: str) -> str:
    return f"{of.name('share', window, bins=True)} offset {span}"
