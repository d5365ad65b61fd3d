"""How far the features and the score have moved from the model's baseline.

Population stability index (PSI) = sum over bins of (p - q) ln(p / q), with p the live share of a
bin and q the baseline's. An empty bin would make it infinite; so an empty bin counts as half a
row of its side (0.5 / n live, 0.5 / m in the baseline), but never as more than the other side's
share: a bin that could as well be empty by chance adds nothing. With no empty bin it is the
textbook's PSI.

Jensen-Shannon distance = the root of the divergence to base 2, from 0 (same) to 1 (disjoint);
empty bins need no treatment (0 log 0 = 0). It is scipy.spatial.distance.jensenshannon(p, q,
base=2).

Chance: without any drift PSI is distributed as (1/n + 1/m) chi-squared with B - 1 degrees of
freedom (B. Yurdakul and J. Naranjo, Statistical properties of the population stability index,
Journal of Risk Model Validation 14(4), 2020), so (B - 1)(1/n + 1/m) is expected of chance alone.
Of a hundred values in ten bins that is right on average, but not far out: what chi-squared passes
once in 75,000 times PSI passes 15 times as often. So chance is judged by a distance that is the
same of small shifts and has no heavy tail, 2 sum (p - q)^2 / (p + q) (I. Vincze 1981, L. Le Cam
1986); 20 values are enough for it. The alert's limit uses the quantile `sigmas` standard
deviations out, by the cube-root transformation of E. B. Wilson and M. M. Hilferty (1931), which at
two degrees of freedom is a tenth above the true one. B counts the bins that are not empty in the
baseline, n the independent transactions that the window is worth (design_effect.py).

F features are F chances of a false alarm. A normal deviate beyond z is about exp(-z^2 / 2) likely,
so sigmas^2 + 2 ln F is asked for instead of sigmas^2: the rate of false alarms over all features is
that of one.

Nothing is recorded below the minimum count. Each version of the model is judged by itself, since
bins have other bounds; where two share a slot, neither is.

Counts are exact (promql.sum_increase), and all series of an instance are pushed together. Counters
may be silent: windows look back.
"""

from __future__ import annotations

from collections.abc import Iterator

from prometheus.generator.durations import Durations
from prometheus.generator.promql import VERSION, sum_increase
from prometheus.generator.recordings.baseline import (
    DISTRIBUTIONS,
    Distribution,
    unless_two_models,
)
from prometheus.generator.recordings.design_effect import effective
from prometheus.generator.rule import Record
from prometheus.generator.thresholds import Thresholds

# window: how often it is evaluated. A sample is current for five minutes, so never more rarely.
WINDOWS = {"15m": "1m", "1h": "1m", "24h": "4m"}


def record_statistics(window: str, durations: Durations, limits: Thresholds) -> Iterator[Record]:
    """How far features and score are from the baseline, and what chance gives of that."""
    for each in DISTRIBUTIONS:
        yield from _record_distribution(each, window, durations, limits)


def _record_distribution(
    of: Distribution, window: str, durations: Durations, limits: Thresholds
) -> Iterator[Record]:
    counts, enough = of.name("increase", window, bins=True), of.name("enough", window)
    live, expected = of.name("share", window, bins=True), of.name("psi_expected", window)
    base, rows = of.baseline_share(window), of.baseline_rows(window)
    # Values by bin; 0 in a bin of the baseline that was never seen live.
    increase = sum_increase(f"{of.counter}_total", durations(window), f"{of.labels}, bin")
    yield Record(counts, f"{increase}\nor 0 * {base}")
    # All values, where they are enough to judge and are those of one version.
    yield Record(
        enough,
        f"""
        (sum by ({of.labels}) ({counts}) >= {limits.drift.minimum_count:g})
        and on ({of.labels}) {base}
        {unless_two_models(window)}
        """,
    )
    # Each bin's live share.
    yield Record(live, f"{counts} / on ({of.labels}) group_left () {enough}")
    # How far the live shares are from the baseline's, in three measures.
    yield Record(of.name("psi", window), _psi(of, live, base, enough, rows))
    yield Record(of.name("js_distance", window), _js_distance(of, live, base))
    yield Record(of.name("distance", window), _distance(of, live, base))
    # The independent values that these are worth.
    independent = of.name("independent", window)
    yield Record(independent, effective(enough, window))
    # The PSI that chance gives on average, and the distance that it hardly exceeds.
    freedom = f"(count by ({of.labels}) ({base} > 0) - 1)"
    per_row = f"(1 / {independent} + on ({VERSION}) group_left () 1 / {rows})"
    yield Record(expected, f"{freedom} * {per_row}")
    yield Record(of.name("distance_chance", window), chance_quantile(of, freedom, expected, limits))


def _psi(of: Distribution, live: str, base: str, enough: str, rows: str) -> str:
    in_live, in_base = f"on ({of.labels}) group_left ()", f"on ({VERSION}) group_left ()"
    half_live, half_base = f"(0.5 / {enough})", f"(0.5 / {rows})"
    empty_live = f"(({base} and {live} == 0) > {in_live} {half_live})"
    empty_base = f"(({live} and {base} == 0) > {in_base} {half_base})"
    return f"""
    sum by ({of.labels}) (
        (({live} > 0) - ({base} > 0))
        * ln(({live} > 0) / ({base} > 0))
      or
        ({empty_live} - {in_live} {half_live})
        * ln({empty_live} / {in_live} {half_live})
      or
        ({empty_base} - {in_base} {half_base})
        * ln({empty_base} / {in_base} {half_base})
    )
    """


def _distance(of: Distribution, live: str, base: str) -> str:
    return f"2 * sum by ({of.labels}) (({live} - {base}) ^ 2 / ({live} + {base} > 0))"


def _js_distance(of: Distribution, live: str, base: str) -> str:
    mean = f"({live} + {base})"
    return f"""
    sqrt(clamp_min(
      0.5 * (
        sum by ({of.labels}) (({live} > 0) * log2(2 * ({live} > 0) / {mean}))
        + sum by ({of.labels}) (({base} > 0) * log2(2 * ({base} > 0) / {mean}))
      ), 0
    ))
    """


def chance_quantile(of: Distribution, freedom: str, expected: str, limits: Thresholds) -> str:
    """What a chi-squared distance with this mean and so many degrees of freedom hardly exceeds."""
    spread = f"(2 / 9 / ({freedom} > 0))"
    sigmas = f"sqrt({limits.drift.sigmas:g} ^ 2 + 2 * ln(count by ({VERSION}) ({expected})))"
    if of.labels == VERSION:
        return f"{expected} * (1 - {spread} + {limits.drift.sigmas:g} * sqrt({spread})) ^ 3"
    deviations = f"sqrt({spread}) * on ({VERSION}) group_left () {sigmas}"
    return f"{expected} * (1 - {spread} + {deviations}) ^ 3"
