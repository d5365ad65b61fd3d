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
which the shares cancel. Counters may be silent: windows look back, and gauges are read as last
seen.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from prometheus.generator.durations import Clock
from prometheus.generator.rule import Group, Record, RuleFile
from prometheus.generator.thresholds import Thresholds

# window: how often it is evaluated. A sample is current for five minutes, so never more rarely.
WINDOWS = {"15m": "1m", "1h": "1m", "24h": "4m"}
# Of the holdout, by window; as last seen in it, since the service may have been silent.
HOLDOUT = (
    "model_holdout_rows",
    "model_holdout_frauds",
    "model_holdout_alert_rate",
    "model_holdout_mean_score",
)


@dataclass(frozen=True)
class Distribution:
    """A counter by bin, the gauge of its baseline, and the gauge of the rows behind it."""

    level: str
    counted: str
    baseline: str
    rows: str

    @property
    def labels(self) -> str:
        """Labels that tell one distribution from another."""
        return "job, feature" if self.level == "feature" else "job"

    def share(self, window: str) -> str:
        """Recorded baseline share by bin."""
        return f"{self.level}_bin:{self.baseline}:last{window}"

    def behind(self, window: str) -> str:
        """Recorded rows behind the baseline."""
        return last(self.rows, window)

    def name(self, operation: str, window: str, bins: bool = False) -> str:
        """Name of a recorded series."""
        return f"{self.level}{'_bin' if bins else ''}:{self.counted}:{operation}{window}"


FEATURES = Distribution("feature", "feature_values", "feature_baseline_share", "baseline_rows")
SCORE = Distribution("job", "score_values", "score_baseline_share", "model_holdout_rows")
DISTRIBUTIONS = (FEATURES, SCORE)


def last(gauge: str, window: str) -> str:
    """Name of the recorded gauge of the job, as last seen in the window."""
    return f"job:{gauge}:last{window}"


def drift_file(clock: Clock, limits: Thresholds) -> RuleFile:
    """rules/drift.yml"""
    groups = [
        Group(f"{name}_{window}", clock(every), tuple(rules))
        for window, every in WINDOWS.items()
        for name, rules in (
            ("baseline", _baseline(window, clock)),
            ("drift", _drift(window, clock, limits)),
        )
    ]
    about = (
        "Drift of features and score against the model's baseline;"
        " formulas: generator/recordings/drift.py"
    )
    return RuleFile("drift.yml", about, tuple(groups))


def _baseline(window: str, clock: Clock) -> Iterator[Record]:
    """Gauges as last seen in the window, and how many models the window has seen.

    With one model in the window they are that model's, though an instance be gone.
    """
    span = clock(window)
    versions = f'last_over_time(model_version{{role="champion"}}[{span}])'
    models = f"count by (job) (count by (job, version) ({versions}))"
    yield Record(f"job:model_versions:count{window}", models)
    for each in DISTRIBUTIONS:
        shares = f"max by ({each.labels}, bin) (last_over_time({each.baseline}[{span}]))"
        yield Record(each.share(window), shares)
    for gauge in ("baseline_rows", *HOLDOUT):
        yield Record(last(gauge, window), f"max by (job) (last_over_time({gauge}[{span}]))")


def _drift(window: str, clock: Clock, limits: Thresholds) -> Iterator[Record]:
    for each in DISTRIBUTIONS:
        yield from _statistics(each, window, clock, limits)


def _statistics(
    of: Distribution, window: str, clock: Clock, limits: Thresholds
) -> tuple[Record, ...]:
    counts, enough = of.name("increase", window, bins=True), of.name("enough", window)
    live, expected = of.name("share", window, bins=True), of.name("psi_expected", window)
    base, behind = of.share(window), of.behind(window)
    freedom = f"(count by ({of.labels}) ({base} > 0) - 1)"
    return (
        Record(
            counts,
            f"""
            sum by ({of.labels}, bin) (increase({of.counted}_total[{clock(window)}]))
            or 0 * {base}
            """,
        ),
        Record(
            enough,
            f"""
            (sum by ({of.labels}) ({counts}) >= {limits.drift.minimum_count:g})
            and on ({of.labels}) {base}
            unless on (job) (job:model_versions:count{window} > 1)
            """,
        ),
        Record(live, f"{counts} / on ({of.labels}) group_left () {enough}"),
        Record(of.name("psi", window), _psi(of, live, base, enough, behind)),
        Record(of.name("js_distance", window), _js_distance(of, live, base)),
        Record(expected, f"{freedom} * {_per_row(enough, behind)}"),
        Record(of.name("psi_chance", window), _chance(freedom, expected, limits.drift.sigmas)),
    )


def _psi(of: Distribution, live: str, base: str, enough: str, behind: str) -> str:
    in_live, in_base = f"on ({of.labels}) group_left ()", "on (job) group_left ()"
    half_live, half_base = f"(0.5 / {enough})", f"(0.5 / {behind})"
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


def _per_row(enough: str, behind: str) -> str:
    return f"(1 / {enough} + on (job) group_left () 1 / {behind})"


def _chance(freedom: str, expected: str, sigmas: float) -> str:
    spread = f"(2 / 9 / ({freedom} > 0))"
    return f"{expected} * (1 - {spread} + {sigmas:g} * sqrt({spread})) ^ 3"
