"""How far a table's rows have moved from a version's baseline, as the recording rules have it.

The formulas are those of prometheus/generator/recordings/drift.py: PSI with half a row in an empty
bin, what chance gives on average, and what it hardly exceeds. A test holds the two equal.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final

import msgspec
import numpy as np

from model.data.dataset import Floats
from model.serving.card import Card, Feature, Histogram

# As prometheus/thresholds.yml has them for a day: `drift.psi` and `drift.sigmas`. A test compares.
LIMIT: Final = 0.05
SIGMAS: Final = 3.9


class Bin(msgspec.Struct, frozen=True):
    """Shares of the table's rows and of the baseline's in one bin."""

    name: str
    table: float
    baseline: float


class Drift(msgspec.Struct, frozen=True):
    """PSI of one feature or of the score; `expected` and `chance` are what no drift would give.

    `moved` is the condition of the alerts FeatureDrift and ScoreDrift for a day.
    """

    name: str
    importance: float | None
    psi: float
    expected: float
    chance: float
    moved: bool
    bins: tuple[Bin, ...]


def measure_drift(card: Card, rows: Floats, scores: Floats) -> tuple[Drift, ...]:
    """Of the score, then of each feature, the most important first; rows are in the card's
    columns."""
    sigmas = of_several(SIGMAS, len(card.features))
    features = [
        _compare(
            feature.name,
            _count_feature(feature, rows[:, index]),
            card.data.training_rows,
            sigmas,
            feature.importance,
        )
        for index, feature in enumerate(card.features)
    ]
    ranked = sorted(features, key=lambda each: -(each.importance or 0.0))
    score = _count_numbers(card.score_baseline, scores, -math.inf, math.inf)
    return (_compare("score", score, card.metrics.rows, SIGMAS), *ranked)


def of_several(sigmas: float, count: int) -> float:
    """So many deviations for the largest of several as `sigmas` are for one."""
    return math.sqrt(sigmas**2 + 2 * math.log(count))


def population_stability(live: Sequence[float], base: Sequence[float], n: float, m: float) -> float:
    """PSI of shares by bin; `n` and `m` rows are behind them."""
    total = 0.0
    for share, baseline in zip(live, base, strict=True):
        p = share or min(0.5 / n, baseline)
        q = baseline or min(0.5 / m, share)
        total += 0.0 if p == q else (p - q) * math.log(p / q)
    return total


def exceed_chance(expected: float, freedom: int, sigmas: float) -> float:
    """The PSI that chance hardly exceeds (Wilson and Hilferty, 1931)."""
    spread = 2 / 9 / freedom
    return expected * (1 - spread + sigmas * math.sqrt(spread)) ** 3


def _compare(
    name: str,
    counted: list[tuple[str, int, float]],
    m: int,
    sigmas: float,
    importance: float | None = None,
) -> Drift:
    """`counted`: each bin's name, rows of the table, and share of the baseline."""
    n = sum(count for _, count, _ in counted)
    live = [count / n for _, count, _ in counted]
    base = [share for *_, share in counted]
    psi = population_stability(live, base, n, m)
    freedom = max(1, sum(share > 0 for share in base) - 1)
    expected = freedom * (1 / n + 1 / m)
    chance = exceed_chance(expected, freedom, sigmas)
    names = [bin for bin, *_ in counted]
    return Drift(
        name=name,
        importance=importance,
        psi=psi,
        expected=expected,
        chance=chance,
        moved=psi - expected > LIMIT and psi > chance,
        bins=tuple(Bin(*each) for each in zip(names, live, base, strict=True)),
    )


def _count_feature(feature: Feature, values: Floats) -> list[tuple[str, int, float]]:
    stored = feature.baseline
    if feature.type in ("category", "boolean"):
        names = feature.categories or ("false", "true")
        present = values[~np.isnan(values)].astype(np.int64)
        counts = np.bincount(present, minlength=len(names)).tolist()
        counted = list(zip(names, counts, stored.shares, strict=True))
    else:
        low, high = feature.quantiles[0], feature.quantiles[-1]
        counted = _count_numbers(stored, values, low, high)
    if feature.nullable:
        counted.append(("missing", int(np.isnan(values).sum()), stored.missing))
    return counted


def _count_numbers(
    baseline: Histogram, values: Floats, low: float, high: float
) -> list[tuple[str, int, float]]:
    """Each bin, and below and above what the training had where it had ends."""
    below, above = int((values < low).sum()), int((values > high).sum())
    inside = values[(values >= low) & (values <= high)]
    places = np.searchsorted(baseline.edges, inside, side="left")
    counts = np.bincount(places, minlength=len(baseline.shares)).tolist()
    bounds = (low, *baseline.edges, high)
    names = [_name(*bounds[number : number + 2]) for number in range(len(counts))]
    counted = list(zip(names, counts, baseline.shares, strict=True))
    if math.isinf(low):
        return counted
    ends = (f"below {_write(low)}", f"above {_write(high)}")
    return [(ends[0], below, 0.0), *counted, (ends[1], above, 0.0)]


def _name(low: float, high: float) -> str:
    if math.isinf(low):
        return f"up to {_write(high)}"
    return f"over {_write(low)}" if math.isinf(high) else f"{_write(low)} to {_write(high)}"


def _write(number: float) -> str:
    """To four digits; from a thousand on to the whole number."""
    return f"{number:,.0f}" if abs(number) >= 1000 else f"{number:.4g}"
