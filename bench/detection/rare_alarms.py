"""FraudRateJump and CalibrationBroken where fraud is rare: false alarms of 30 days, and delays.

    .venv/dev/bin/python -m bench.detection.rare_alarms

Steady traffic is drawn, and a holdout that is a sample too; the conditions are those of the
rules (conditions.py). Each line is a rate and a share of (predicted) fraud, which after
a week becomes so many times as large. For CalibrationBroken every transaction is labelled at once,
and the condition is that of the ratio of frauds.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from scipy.stats import beta

from bench.detection.conditions import Flags, Floats, has_jumped, has_other_ratio
from bench.detection.false_alarms_numpy import (
    DAY,
    DAYS,
    HOLD,
    HOLDOUT_ROWS,
    STEP,
    WEEK,
    WINDOWS,
    count_alarms,
    find_first,
    format_duration,
    sum_rolling,
)
from prometheus.generator.thresholds import Thresholds, read_thresholds

RATES, SHARES = (0.05, 0.2, 1.0, 5.0, 100.0), (0.001, 0.002, 0.005, 0.01, 0.03)
PERIODS, DRAWS = 20, 11
CHANGED = WEEK * STEP  # the minute from which on there is more fraud


@dataclass(frozen=True)
class Case:
    """Traffic of `rate` transactions a second; the share of fraud is multiplied by `factor`."""

    rate: float
    share: float
    factor: float = 1.0

    def shares(self, steps: int, minutes: int) -> Floats:
        """Of each step of so many minutes."""
        change = np.arange(steps) * minutes >= CHANGED
        return np.where(change, min(1.0, self.share * self.factor), self.share)


Draw = Callable[[np.random.Generator, Thresholds, Case, int], list[Flags]]


def draw_jumps(
    random: np.random.Generator, limits: Thresholds, case: Case, days: int
) -> list[Flags]:
    """The condition of FraudRateJump at each minute, by window."""
    holdout = float(random.binomial(HOLDOUT_ROWS, case.share))
    rows = random.poisson(case.rate * 60, days * DAY)
    frauds = random.binomial(rows, case.shares(days * DAY, 1))
    counts, found = np.column_stack([frauds, rows]).astype(float), []
    for window, length in WINDOWS.items():
        seen = sum_rolling(counts, length)
        found.append(has_jumped(seen[:, 0], seen[:, 1], holdout, HOLDOUT_ROWS, window, limits))
    return found


def draw_ratios(
    random: np.random.Generator, limits: Thresholds, case: Case, days: int
) -> list[Flags]:
    """The condition of CalibrationBroken's fraud_ratio every STEP minutes, by window."""
    steps, found = days * DAY // STEP, []
    atoms = beta.ppf((np.arange(400) + 0.5) / 400, 4 * case.share, 4 * (1 - case.share))
    counts = random.multinomial(random.poisson(case.rate * 60 * STEP, steps), np.full(400, 1 / 400))
    factors = case.shares(steps, STEP)[:, None] / case.share
    frauds = random.binomial(counts, np.minimum(1, atoms * factors)).sum(1)
    sums = np.column_stack([frauds, counts @ atoms, counts @ (atoms * (1 - atoms))])
    for length in (DAY // STEP, WEEK):
        observed, expected, variance = np.maximum(sum_rolling(sums, length), 1e-9).T
        found.append(has_other_ratio(observed, expected, variance, limits))
    return found


def measure(draw: Draw, step: int, hold: int, factors: tuple[float, ...]) -> Iterator[str]:
    """Lines with the false alarms, and the median delay after each change, of every case."""
    random, limits = np.random.default_rng(7), read_thresholds()
    for rate in RATES:
        for share in SHARES:
            periods = [draw(random, limits, Case(rate, share), DAYS) for _ in range(PERIODS)]
            alarms = [sum(count_alarms(each, hold) for each in one) for one in periods]
            cells = [f"{np.mean(alarms):g} (most {max(alarms)})"]
            for factor in factors:
                case = Case(rate, share, factor)
                delays = [
                    step * min(find_first(each[CHANGED // step :], hold) for each in one)
                    for one in (draw(random, limits, case, 21) for _ in range(DRAWS))
                ]
                cells.append(f"x{factor:g} {format_duration(float(np.median(delays)))}")
            yield f"{rate:g}/s, {share:.1%}: {', '.join(cells)}"


def main() -> None:
    """Print both tables."""
    print(f"False alarms in {DAYS} days, mean of {PERIODS}; median delay of a change, of {DRAWS}")
    print("FraudRateJump")
    for line in measure(draw_jumps, 1, HOLD["drift"], (3, 10)):
        print(line, flush=True)
    print("CalibrationBroken, fraud_ratio")
    for line in measure(draw_ratios, STEP, HOLD["quality"], (0.6, 2)):
        print(line, flush=True)


if __name__ == "__main__":
    main()
