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
The alert's limit uses the quantile `sigmas` standard deviations out, by the cube-root
transformation of E. B. Wilson and M. M. Hilferty (1931), which at two degrees of freedom is a
tenth above the true one. B counts the bins that are not empty in the baseline.

Nothing is recorded below the minimum count, nor while the window holds predictions of more than
one model, whose bins have other bounds.

All series of an instance are pushed together, so that `increase` extrapolates them by one factor,
which the shares cancel. Counters may be silent: windows look back.
"""

from __future__ import annotations

from collections.abc import Iterator

from prometheus.generator.durations import Durations
from prometheus.generator.promql import sum_increase
from prometheus.generator.recordings.baseline import (
    DISTRIBUTIONS,
    Distribution,
    record_baseline,
    unless_two_models,
)
from prometheus.generator.rule import Group, Record
from prometheus.generator.thresholds import Thresholds

# window: how often it is evaluated. A sample is current for five minutes, so never more rarely.
WINDOWS = {"15m": "1m", "1h": "1m", "24h": "4m"}


def record_drift(durations: Durations, limits: Thresholds) -> Iterator[Group]:
    """Baseline and statistics of each window."""
    for window, every in WINDOWS.items():
        baseline = tuple(record_baseline(window, durations))
        yield Group(f"baseline_{window}", durations(every), baseline)
        statistics = tuple(
            rule
            for each in DISTRIBUTIONS
            for rule in _record_statistics(each, window, durations, limits)
        )
        yield Group(f"drift_{window}", durations(every), statistics)


def _record_statistics(
    of: Distribution, window: str, durations: Durations, limits: Thresholds
) -> Iterator[Record]:
    counts, enough = of.name("increase", window, bins=True), of.name("enough", window)
    live, expected = of.name("share", window, bins=True), of.name("psi_expected", window)
    base, rows = of.baseline_share(window), of.baseline_rows(window)
    # Values by bin; 0 in a bin of the baseline that was never seen live.
    increase = sum_increase(f"{of.counter}_total", durations(window), f"{of.labels}, bin")
    yield Record(counts, f"{increase}\nor 0 * {base}")
    # All values, where they are enough to judge and are those of one model.
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
    # How far the live shares are from the baseline's, in two measures.
    yield Record(of.name("psi", window), _psi(of, live, base, enough, rows))
    yield Record(of.name("js_distance", window), _js_distance(of, live, base))
    # The PSI that chance gives on average, and the one that it hardly exceeds.
    freedom = f"(count by ({of.labels}) ({base} > 0) - 1)"
    per_row = f"(1 / {enough} + on (job) group_left () 1 / {rows})"
    yield Record(expected, f"{freedom} * {per_row}")
    yield Record(of.name("psi_chance", window), _chance(freedom, expected, limits.drift.sigmas))


def _psi(of: Distribution, live: str, base: str, enough: str, rows: str) -> str:
    in_live, in_base = f"on ({of.labels}) group_left ()", "on (job) group_left ()"
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


def _chance(freedom: str, expected: str, sigmas: float) -> str:
    spread = f"(2 / 9 / ({freedom} > 0))"
    return f"{expected} * (1 - {spread} + {sigmas:g} * sqrt({spread})) ^ 3"
