"""How often `promote --if-better` is wrong, and how many labels it needs.

Outcomes are drawn with a known difference between two models and looked at again and again. A look
costs a fraction of a millisecond, so only those are computed that could be the first to decide.
"""

from __future__ import annotations

import argparse
import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from model.promotion.sequential_test import log_e_process


@dataclass(frozen=True)
class Trial:
    """Two models on the same transactions: the challenger finds more of the frauds by
    `gain_of_recall`. Of the frauds each finds `apart` that the other does not, beside that gain; of
    the legitimate transactions each alarms `false_alarms` alone."""

    gain_of_recall: float
    frauds: float = 0.03
    apart: float = 0.05
    false_alarms: float = 0.002
    cost_ratio: float = 3.0

    def chances(self) -> list[float]:
        """Of: fraud only by the challenger, only by the champion, false alarm only of the champion,
        only of the challenger, alike."""
        alarms = (1 - self.frauds) * self.false_alarms
        better = self.frauds * (self.apart + self.gain_of_recall)
        worse = self.frauds * self.apart
        return [better, worse, alarms, alarms, 1 - better - worse - 2 * alarms]

    def gains(self) -> npt.NDArray[np.float64]:
        """Of the same, a missed fraud costing 1."""
        return np.array([1.0, -1.0, 1 / self.cost_ratio, -1 / self.cost_ratio, 0.0])


@dataclass(frozen=True)
class Found:
    """Shares of the runs by verdict, and the labels until promotion of those that came to it."""

    promoted: float
    kept: float
    labels: list[int]


def measure_verdicts(
    trial: Trial, runs: int, labels: int, every: int, seed: int, alpha: float = 0.05
) -> Found:
    """Runs of so many labels, looked at after `every` of them, until a verdict."""
    random = np.random.default_rng(seed)
    verdicts = [_run_trial(trial, labels, every, random, -math.log(alpha)) for _ in range(runs)]
    promoted = sorted(labels for labels, better in verdicts if better)
    kept = sum(better is False for _, better in verdicts)
    return Found(len(promoted) / runs, kept / runs, promoted)


def _run_trial(
    trial: Trial, labels: int, every: int, random: np.random.Generator, needed: float
) -> tuple[int, bool | None]:
    """Labels at the verdict, and whether it was for the challenger; None if there was none."""
    looks = random.multinomial(every, trial.chances(), labels // every).cumsum(axis=0)
    gains = trial.gains()
    for number, counts in enumerate(looks.astype(np.float64), start=1):
        better = float(gains @ counts) > 0
        # The sign of the sum tells which of the two tests can decide: the other's e-process is < 1.
        if log_e_process(gains if better else -gains, counts, 0.0) >= needed:
            return number * every, better
    return labels, None


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(prog="python -m bench.if_better", description=__doc__)
    parser.add_argument("--runs", type=int, default=500, help="runs without a difference (500)")
    parser.add_argument("--gain-runs", type=int, default=100, help="runs with one (100)")
    runs = parser.parse_args()
    print("| gain of recall | runs | labels | looks | promoted | kept | median labels | 90 % |")
    print("| --- | --- | --- | --- | --- | --- | --- | --- |")
    _print_row(0.0, runs.runs, 20_000, 100)
    _print_row(0.03, runs.gain_runs, 500_000, 1_000)
    _print_row(0.01, runs.gain_runs, 5_000_000, 10_000)


def _print_row(gain: float, runs: int, labels: int, every: int) -> None:
    found = measure_verdicts(Trial(gain), runs, labels, every, seed=1)
    row = f"| {gain:g} | {runs} | {labels:,} | {labels // every} | {found.promoted:.1%} "
    # The quantiles are over all runs: those that were not promoted would have taken longer.
    sides = [_format_quantile(found.labels, runs, share) for share in (0.5, 0.9)]
    print(row + f"| {found.kept:.1%} | {sides[0]} | {sides[1]} |", flush=True)


def _format_quantile(promoted: list[int], runs: int, share: float) -> str:
    place = math.ceil(share * runs) - 1
    return f"{promoted[place]:,}" if place < len(promoted) else "-"


if __name__ == "__main__":
    main()
