"""FraudRateJump where predicted frauds are rare: false alarms of 30 days, and delays.

    .venv/dev/bin/python -m bench.detection.rare_alarms

Steady traffic drawn minute by minute, and a holdout that is a sample too; the condition of the rule
by the numpy formulas of false_alarms_numpy.py. Each line is a rate and a share of predicted fraud.
"""

from __future__ import annotations

import numpy as np

from bench.detection.false_alarms_numpy import (
    DAY,
    DAYS,
    HOLD,
    HOLDOUT_ROWS,
    WINDOWS,
    Flags,
    count_alarms,
    find_first,
    format_duration,
    has_jumped,
    sum_rolling,
)
from prometheus.generator.thresholds import Thresholds, read_thresholds

RATES, SHARES = (0.05, 0.2, 1.0, 5.0, 100.0), (0.001, 0.002, 0.005, 0.01, 0.03)
PERIODS, DRAWS = 20, 21
FACTORS = (3, 10)  # of the share of predicted fraud, whose delay is measured


def draw_conditions(
    random: np.random.Generator,
    limits: Thresholds,
    rate: float,
    share: float,
    minutes: int,
    factor: float = 1.0,
) -> list[Flags]:
    """The condition at each minute, by window; from the end of the first day on with the factor."""
    holdout = float(random.binomial(HOLDOUT_ROWS, share))
    rows = random.poisson(rate * 60, minutes)
    live = np.where(np.arange(minutes) < DAY, share, min(1.0, factor * share))
    frauds = random.binomial(rows, live)
    counts = np.column_stack([frauds, rows]).astype(float)
    found = []
    for window, length in WINDOWS.items():
        seen = sum_rolling(counts, length)
        found.append(has_jumped(seen[:, 0], seen[:, 1], holdout, window, limits))
    return found


def main() -> None:
    """Print a line for each case."""
    random, limits = np.random.default_rng(7), read_thresholds()
    print(
        f"False alarms in {DAYS} days, mean of {PERIODS}; median minutes to see a jump, of {DRAWS}"
    )
    for rate in RATES:
        for share in SHARES:
            alarms = [
                sum(count_alarms(each, HOLD["drift"]) for each in found)
                for found in (
                    draw_conditions(random, limits, rate, share, DAYS * DAY) for _ in range(PERIODS)
                )
            ]
            delays = []
            for factor in FACTORS:
                seen = [
                    min(find_first(each[DAY:], HOLD["drift"]) for each in found)
                    for found in (
                        draw_conditions(random, limits, rate, share, 4 * DAY, factor)
                        for _ in range(DRAWS)
                    )
                ]
                delays.append(f"x{factor} {format_duration(float(np.median(seen)))}")
            cells = f"{np.mean(alarms):g} (most {max(alarms)}), {', '.join(delays)}"
            print(f"{rate:g}/s, {share:.1%}: {cells}", flush=True)


if __name__ == "__main__":
    main()
