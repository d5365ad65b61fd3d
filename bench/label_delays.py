"""How often `promote --if-better` is wrong while labels come late, by patterns of delay.

A challenger without a gain: a lower threshold, more frauds caught and as much cost in false alarms.
Asked each day of a year: once with each outcome counted when its label comes (`--maturity 0`), and
once as the command does, with matured weeks and its refusal.
"""

from __future__ import annotations

import argparse
import math
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from model.promotion.cohorts import MaturedOutcomes, Outcome, Unlabelled
from model.promotion.outcomes import classify
from model.promotion.sequential_test import PairedOutcomes, log_e_process

F, L = "fraud", "legitimate"
OUTCOMES: Final[tuple[Outcome, ...]] = tuple(
    (one, other, label) for one in (F, L) for other in (F, L) for label in (F, L)
)
DAYS: Final = 364
MATURITY_DAYS: Final = 30
ALPHA: Final = 0.05
COST_RATIO: Final = 3.0
Delays = tuple[tuple[float, int], ...]
"""Shares of the outcomes and the days after which their labels come; the rest has none."""
Counts = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Pattern:
    """When labels come, by (champion's decision, challenger's, true class); `every` so many days
    all that wait come together."""

    name: str
    delays: Callable[[Outcome], Delays]
    every: int = 1
    unlabelled: Unlabelled = "left-out"


@dataclass(frozen=True)
class Traffic:
    """Predictions a day, and two models on them: the challenger alone catches `gain_of_recall` of
    the frauds more and raises `false_alarms` of the legitimate more; `apart` of the frauds and of
    the false alarms belong to one of them alone, in either direction."""

    daily: int = 1000
    frauds: float = 0.03
    recall: float = 0.6
    apart: float = 0.03
    gain_of_recall: float = 0.05
    alarm_rate: float = 0.01
    # Three false alarms cost a missed fraud: 0.03 x 0.05 x 3 / 0.97, no gain.
    false_alarms: float = 0.03 * 0.05 * COST_RATIO / 0.97

    def chances(self) -> list[float]:
        """Of OUTCOMES."""
        legitimate = 1 - self.frauds
        found = self.recall - self.apart
        shares = {
            (F, F, F): self.frauds * found,
            (F, L, F): self.frauds * self.apart,
            (L, F, F): self.frauds * (self.apart + self.gain_of_recall),
            (L, L, F): self.frauds * (1 - found - 2 * self.apart - self.gain_of_recall),
            (F, F, L): legitimate * self.alarm_rate,
            (F, L, L): legitimate * self.alarm_rate * self.apart,
            (L, F, L): legitimate * (self.alarm_rate * self.apart + self.false_alarms),
        }
        shares[L, L, L] = 1 - sum(shares.values())
        return [shares[one] for one in OUTCOMES]


def _always(days: int) -> Callable[[Outcome], Delays]:
    return lambda outcome: ((1.0, days),)


def _by_class(fraud: Delays, legitimate: Delays) -> Callable[[Outcome], Delays]:
    return lambda outcome: fraud if outcome[2] == F else legitimate


def _by_alarm(alarmed: Delays, rest: Delays) -> Callable[[Outcome], Delays]:
    return lambda outcome: alarmed if F in outcome[:2] else rest


PATTERNS: Final = (
    Pattern("at once", _always(0)),
    Pattern("frauds after 2 days, legitimate after 30", _by_class(((1, 2),), ((1, 30),))),
    Pattern("legitimate after 2 days, frauds after 30", _by_class(((1, 30),), ((1, 2),))),
    Pattern("alarms after 1 day, the rest after 20", _by_alarm(((1, 1),), ((1, 20),))),
    Pattern("each Monday, frauds a week later", _by_class(((1, 7),), ((1, 0),)), every=7),
    Pattern("half of all, after 5 days", lambda _: ((0.5, 5),)),
    Pattern("90 % of the frauds, 60 % of the rest", _by_class(((0.9, 2),), ((0.6, 10),))),
    Pattern("alarms of the champion alone", lambda one: ((1, 2),) if one[0] == F else ()),
    Pattern(
        "only frauds, after 2 to 28 days",
        _by_class(((0.5, 2), (0.5, 28)), ()),
        unlabelled="legitimate",
    ),
    Pattern("frauds after 40 days, beyond maturity", _by_class(((1, 40),), ((1, 2),))),
)


def draw_labels(
    pattern: Pattern, traffic: Traffic, random: np.random.Generator
) -> tuple[Counts, Counts]:
    """Predictions by day and outcome, and labels by day of prediction, day of label and outcome."""
    made = random.multinomial(traffic.daily, traffic.chances(), DAYS)
    labels = np.zeros((DAYS, DAYS, len(OUTCOMES)), dtype=np.int64)
    for place, outcome in enumerate(OUTCOMES):
        delays = pattern.delays(outcome)
        shares = [share for share, _ in delays]
        parts = random.multinomial(made[:, place], [*shares, max(0.0, 1 - sum(shares))])
        for part, (_, days) in enumerate(delays):
            came = -(-(np.arange(DAYS) + days) // pattern.every) * pattern.every
            seen = came < DAYS
            days_made = np.arange(DAYS)[seen]
            labels[days_made, came[seen], place] += parts[seen, part]
    return made, labels


def is_promoted_by_arrival(labels: Counts) -> bool:
    """Whether any daily look promotes where each label counts as it comes."""
    return any(_promotes(_pair(counts)) for counts in labels.sum(axis=0).cumsum(axis=0))


def is_promoted_matured(pattern: Pattern, made: Counts, labels: Counts) -> bool:
    """Whether any look promotes where weeks count when they have matured."""
    fair = pattern.unlabelled == "legitimate"
    return any(
        (fair or matured.find_unequal_coverage() is None)
        and _promotes(matured.compare(pattern.unlabelled))
        for matured in _mature(made, labels)
    )


def _mature(made: Counts, labels: Counts) -> Iterator[MaturedOutcomes]:
    """What has matured at each moment at which a week does."""
    predictions, labelled = np.zeros(len(OUTCOMES)), np.zeros(len(OUTCOMES))
    for week in range((DAYS - MATURITY_DAYS) // 7):
        days = slice(7 * week, 7 * week + 7)
        predictions = predictions + made[days].sum(axis=0)
        labelled = labelled + labels[days, : 7 * week + 7 + MATURITY_DAYS].sum(axis=(0, 1))
        by_decisions: dict[tuple[str, str], float] = defaultdict(float)
        for outcome, count in zip(OUTCOMES, predictions, strict=True):
            by_decisions[outcome[0], outcome[1]] += float(count)
        found = {one: float(count) for one, count in zip(OUTCOMES, labelled, strict=True)}
        yield MaturedOutcomes(by_decisions, found, week + 1)


def _pair(counts: Counts) -> PairedOutcomes:
    kinds: dict[str, float] = defaultdict(float)
    for outcome, count in zip(OUTCOMES, counts, strict=True):
        kinds[classify(*outcome)] += float(count)
    return PairedOutcomes(**kinds)


def _promotes(paired: PairedOutcomes) -> bool:
    """As compare_models decides, without its bounds, which take most of its time."""
    kinds = (paired.frauds_better, paired.frauds_worse, paired.alarms_better, paired.alarms_worse)
    gains = np.array([1.0, -1.0, 1 / COST_RATIO, -1 / COST_RATIO, 0.0])
    counts = np.array([*kinds, paired.alike])
    # A negative sum never promotes.
    return float(gains @ counts) > 0 and log_e_process(gains, counts, 0.0) >= -math.log(ALPHA)


def measure_pattern(
    pattern: Pattern, runs: int, seed: int = 1, traffic: Traffic | None = None
) -> tuple[float, float]:
    """Shares of the runs that were promoted, by arrival and matured."""
    random = np.random.default_rng(seed)
    promoted = np.zeros(2)
    for _ in range(runs):
        made, labels = draw_labels(pattern, traffic or Traffic(), random)
        promoted += is_promoted_by_arrival(labels), is_promoted_matured(pattern, made, labels)
    return float(promoted[0] / runs), float(promoted[1] / runs)


def measure_retention(runs: int, kept_days: int = 15, seed: int = 1) -> tuple[float, float]:
    """Shares of the runs that were promoted where the store forgets after so many days, all labels
    coming at once: in a window that moves, and with the refusal once the beginning is gone."""
    random = np.random.default_rng(seed)
    promoted = np.zeros(2)
    for _ in range(runs):
        sums = random.multinomial(Traffic().daily, Traffic().chances(), DAYS).cumsum(axis=0)
        moving = np.concatenate([sums[:kept_days], sums[kept_days:] - sums[:-kept_days]])
        looks = [_promotes(_pair(counts)) for counts in moving]
        promoted += any(looks), any(looks[: kept_days + 1])
    return float(promoted[0] / runs), float(promoted[1] / runs)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(prog="python -m bench.label_delays", description=__doc__)
    parser.add_argument("--runs", type=int, default=200, help="of each pattern (200)")
    runs = parser.parse_args().runs
    print("| labels come | runs | promoted by arrival | promoted matured |")
    print("| --- | --- | --- | --- |")
    for pattern in PATTERNS:
        arrival, matured = measure_pattern(pattern, runs)
        print(f"| {pattern.name} | {runs} | {arrival:.1%} | {matured:.1%} |", flush=True)
    moving, refused = measure_retention(runs)
    print(
        f"\n15 days of retention: {moving:.1%} in a moving window, {refused:.1%} with the refusal"
    )


if __name__ == "__main__":
    main()
