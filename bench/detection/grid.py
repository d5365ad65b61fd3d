"""False alarms of 30 days over a grid of traffic, and how soon a shift is seen; before and after.

    .venv/dev/bin/python -m bench.detection.grid [--rates 0.05 0.2 1 5 100]

Rates, fraud shares, numbers of features, customers that send each transaction so many times (at
once), and traffic all day or in bursts of four minutes each six hours. Every cell is a month
of steady traffic, minute by minute, with a baseline and a holdout that are samples too, and every
label there at once; the alerts' conditions are those of the rules (conditions.py), each with
its `for`. Before: transactions taken as independent, one limit for any number of features, and
chance judged by PSI itself.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
from scipy.stats import norm

from bench.detection import lasting
from bench.detection.conditions import Floats, Judgement, distance, psi
from bench.detection.false_alarms_numpy import (
    BASELINE_ROWS,
    DAY,
    DAYS,
    HOLD,
    WINDOWS,
    count_alarms,
    find_first,
    format_duration,
    sum_rolling,
)
from bench.detection.grid_scores import count_score_alarms
from prometheus.generator.thresholds import Thresholds, read_thresholds

RATES, SHARES, FEATURES = (0.05, 0.2, 1.0, 5.0, 100.0), (0.001, 0.002, 0.01, 0.03), (5, 29, 100)
REPEATS, SHIFTS, DRAWS = (1, 5, 10), (0.25, 0.5, 1.0), 21
BURST, PAUSE = 4, 360  # minutes
EVERY = {"15m": 1, "1h": 1, "24h": 4}  # minutes between two evaluations


@dataclass(frozen=True)
class Traffic:
    """Transactions a second, each sent so many times, all day or in bursts."""

    rate: float
    repeats: int
    bursts: bool

    def draw(self, random: np.random.Generator, minutes: int) -> npt.NDArray[np.int64]:
        """Different transactions of each minute."""
        mean = np.full(minutes, self.rate * 60 / self.repeats)
        if self.bursts:
            mean[np.arange(minutes) % PAUSE >= BURST] = 0
        return random.poisson(mean)

    def __str__(self) -> str:
        return f"{self.rate:g}/s, x{self.repeats}{', bursts' if self.bursts else ''}"


def as_before(limits: Thresholds) -> Thresholds:
    """Without a part for the number of features."""
    return replace_sigmas(limits, 5.0)


def replace_sigmas(limits: Thresholds, sigmas: float) -> Thresholds:
    """The same limits, drift judged by another quantile of chance."""
    values = {name: getattr(limits.drift, name) for name in limits.drift.__struct_fields__}
    drift = type(limits.drift)(**(values | {"sigmas": sigmas}))
    others = {name: getattr(limits, name) for name in limits.__struct_fields__}
    return type(limits)(**(others | {"drift": drift}))


def judgements(limits: Thresholds, window: str, repeats: int) -> dict[str, Judgement]:
    """Those of each number of features, and the one that was."""
    now = Judgement(window, limits, design_effect=min(repeats, limits.drift.most_repeats))
    return {"before": Judgement(window, as_before(limits))} | {
        f"{number}": replace(now, features=number) for number in FEATURES
    }


def count_feature_alarms(
    random: np.random.Generator, limits: Thresholds, traffic: Traffic
) -> dict[int, tuple[int, int]]:
    """Of each number of features: alarms of FeatureDrift before, and now."""
    found = dict.fromkeys((*("before " + str(n) for n in FEATURES), *map(str, FEATURES)), 0)
    arriving = traffic.draw(random, DAYS * DAY)
    for feature in range(max(FEATURES)):
        base = random.multinomial(BASELINE_ROWS, [0.1] * 10) / BASELINE_ROWS
        counts = traffic.repeats * random.multinomial(arriving, [0.1] * 10).astype(float)
        for window, minutes in WINDOWS.items():
            seen = sum_rolling(counts, minutes)[:: EVERY[window]]
            count = seen.sum(-1)
            value, far = np.zeros(len(seen)), np.zeros(len(seen))
            enough = count >= limits.drift.minimum_count
            value[enough] = psi(seen[enough], base, BASELINE_ROWS)
            far[enough] = distance(seen[enough], base)
            for name, judge in judgements(limits, window, traffic.repeats).items():
                distant = value if name == "before" else far
                flags = judge.is_drift(value, distant, count, base, BASELINE_ROWS)
                alarms = count_alarms(np.repeat(flags, EVERY[window]), HOLD["drift"])
                wanted = FEATURES if name == "before" else (int(name),)
                for number in wanted:
                    key = f"before {number}" if name == "before" else name
                    found[key] += alarms if feature < number else 0
        blocks = counts.reshape(-1, lasting.STEP, 10).sum(1)
        grown = lasting.evidence(blocks, base, limits, traffic.repeats)
        for number in FEATURES:
            alarms = count_alarms(lasting.lasts(grown, limits, number), 1)
            found[str(number)] += alarms if feature < number else 0
    return {number: (found[f"before {number}"], found[str(number)]) for number in FEATURES}


def measure_delays(
    random: np.random.Generator, limits: Thresholds, traffic: Traffic, shift: float
) -> dict[str, float]:
    """Median minutes from a shift of one feature, in standard deviations, to FeatureDrift."""
    found: dict[str, list[float]] = {}
    for _ in range(DRAWS):
        counts, base = _draw_shift(random, traffic, shift)
        firsts: dict[str, list[float]] = {}
        for window, minutes in WINDOWS.items():
            seen = sum_rolling(counts, minutes)[DAY :: EVERY[window]]
            value, far = psi(seen, base, BASELINE_ROWS), distance(seen, base)
            for name, judge in judgements(limits, window, traffic.repeats).items():
                distant = value if name == "before" else far
                flags = judge.is_drift(value, distant, seen.sum(-1), base, BASELINE_ROWS)
                first = find_first(np.repeat(flags, EVERY[window]), HOLD["drift"])
                firsts.setdefault(name, []).append(first)
        blocks = counts.reshape(-1, lasting.STEP, 10).sum(1)
        grown = lasting.evidence(blocks, base, limits, traffic.repeats)
        for number in FEATURES:
            flags = lasting.lasts(grown, limits, number)[DAY // lasting.STEP :]
            firsts[str(number)].append(lasting.STEP * (1 + find_first(flags, 1)))
        for name, each in firsts.items():
            found.setdefault(name, []).append(min(each))
    return {name: float(np.median(each)) for name, each in found.items()}


def _draw_shift(
    random: np.random.Generator, traffic: Traffic, shift: float
) -> tuple[Floats, Floats]:
    """Counts of a day before and three days after, and the baseline."""
    base = random.multinomial(BASELINE_ROWS, [0.1] * 10) / BASELINE_ROWS
    edges = norm.cdf(norm.ppf(np.arange(11) / 10) - shift)
    arriving = traffic.draw(random, 4 * DAY)
    before = random.multinomial(arriving[:DAY], [0.1] * 10)
    after = random.multinomial(arriving[DAY:], np.diff(edges))
    return traffic.repeats * np.concatenate([before, after]).astype(float), base


def list_traffic(rates: tuple[float, ...]) -> Iterator[Traffic]:
    """Every kind of traffic of the grid."""
    for rate in rates:
        for repeats in REPEATS:
            yield from (Traffic(rate, repeats, bursts) for bursts in (False, True))


def report(rates: tuple[float, ...]) -> Iterator[str]:
    """Lines of both tables; of the alarms, before and now."""
    random, limits = np.random.default_rng(5), read_thresholds()
    yield f"False alarms in {DAYS} days, before → now"
    for traffic in list_traffic(rates):
        features = count_feature_alarms(random, limits, traffic)
        cells = (f"{number} features {b} → {n}" for number, (b, n) in features.items())
        yield f"{traffic}: FeatureDrift {', '.join(cells)}"
        for share in SHARES:
            arriving = traffic.draw(random, DAYS * DAY)
            found = count_score_alarms(random, limits, arriving, share, traffic.repeats)
            named = ", ".join(f"{k} {b} → {n}" for k, (b, n) in found.items() if b or n)
            yield f"{traffic}, fraud {share:.1%}: {named or 'none'}"
    yield f"Median delay of FeatureDrift, of {DRAWS}"
    for traffic in (each for each in list_traffic(rates) if not each.bursts):
        for shift in SHIFTS:
            delays = measure_delays(random, limits, traffic, shift)
            cells = (f"{name} {format_duration(value)}" for name, value in delays.items())
            yield f"{traffic}, {shift:g} sd: {', '.join(cells)}"


def main() -> None:
    """Print both tables."""
    parser = argparse.ArgumentParser(prog="python -m bench.detection.grid", description=__doc__)
    parser.add_argument("--rates", type=float, nargs="+", default=RATES, help="a second (all)")
    for line in report(tuple(parser.parse_args().rates)):
        print(line, flush=True)


if __name__ == "__main__":
    main()
