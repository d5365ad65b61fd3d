"""Outcomes of matured predictions: each week of predictions enters the test whole, at one time.

Labels come in an order that depends on the class: frauds by chargeback, alarms by review, the rest
after weeks. A test that counts each outcome when its label arrives sees a biased part of them and
decides wrongly. So a week of predictions enters when `maturity` has passed since its end, with the
labels that it has then: when it enters depends on nothing that is tested. Labels that come later
never enter. (The same demand of the order: M. Lindon and N. Kallus on outcome timing, 2026.)
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal

from model.promotion.increases import Increase, Pair, PairCounter, Samples, read_increases
from model.promotion.outcomes import classify
from model.promotion.sequential_test import PairedOutcomes
from model.serving.cohorts import WEEK_SECONDS, find_cohort_week, find_week
from model.serving.vocabulary import CLASS_NAMES, FRAUD, LEGITIMATE

Unlabelled = Literal["left-out", "legitimate"]
Decisions = tuple[str, str]
Outcome = tuple[str, str, str]

DECISIONS: Final = tuple((one, other) for one in CLASS_NAMES for other in CLASS_NAMES)
# Coverage that differs by less moves a gain by less than one hundredth of itself.
_LEAST_DIFFERENCE: Final = 0.01
_DEVIATIONS: Final = 2.0


@dataclass(frozen=True)
class MaturedOutcomes:
    """Predictions by the two decisions (champion's, challenger's), and of them the labelled ones by
    decisions and true class; `weeks` have matured, the next one will at `next_at`."""

    predictions: Mapping[Decisions, float]
    labelled: Mapping[Outcome, float]
    weeks: int = 0
    next_at: float | None = None

    def count_labelled(self, decisions: Decisions) -> float:
        """Labelled predictions with these decisions."""
        return sum(self.labelled.get((*decisions, label), 0.0) for label in CLASS_NAMES)

    def compare(self, unlabelled: Unlabelled) -> PairedOutcomes:
        """By who was right; what has no label is left out, or counts as legitimate."""
        kinds: dict[str, float] = defaultdict(float)
        for decisions in DECISIONS:
            known = {label: self.labelled.get((*decisions, label), 0.0) for label in CLASS_NAMES}
            if unlabelled == "legitimate":
                made = self.predictions.get(decisions, 0.0)
                known[LEGITIMATE] = max(known[LEGITIMATE], made - known[FRAUD])
            for label, count in known.items():
                kinds[classify(*decisions, label)] += count
        return PairedOutcomes(**kinds)

    def find_unequal_coverage(self) -> str | None:
        """A sentence if labels are commoner among some decisions than among the others, beyond
        chance (two standard errors) and by a point: then the labelled ones are no fair sample."""
        for decisions in DECISIONS:
            made, labelled = self._cover([decisions])
            rest, rest_labelled = self._cover([one for one in DECISIONS if one != decisions])
            if not made or not rest:
                continue
            share, other = labelled / made, rest_labelled / rest
            pooled = (labelled + rest_labelled) / (made + rest)
            error = math.sqrt(max(0.0, pooled * (1 - pooled)) * (1 / made + 1 / rest))
            if abs(share - other) > max(_LEAST_DIFFERENCE, _DEVIATIONS * error):
                return (
                    f"labelled are {share:.1%} of the predictions that the champion calls"
                    f" {decisions[0]} and the challenger {decisions[1]}, and {other:.1%} of the"
                    " others"
                )
        return None

    def _cover(self, decisions: Iterable[Decisions]) -> tuple[float, float]:
        chosen = list(decisions)
        made = sum(self.predictions.get(one, 0.0) for one in chosen)
        return made, min(made, sum(self.count_labelled(one) for one in chosen))


def fetch_matured(
    store: Samples, job: str, pair: Pair, start: float, now: float, maturity: float
) -> MaturedOutcomes:
    """Of the weeks since `start` that have matured; the week of the start is among them unless the
    pair was loaded in it before."""
    first = find_week(start)
    began = float(first * WEEK_SECONDS)
    tally = _Tally(maturity, now)
    counter = PairCounter(pair)
    for one in read_increases(store, job, counter, "paired_predictions_total", began, now):
        tally.add_prediction(one)
    labels = PairCounter(pair)
    for one in read_increases(store, job, labels, "paired_cohort_outcomes_total", began, now):
        tally.add_outcome(one)
    if counter.first_shown is not None and counter.first_shown < start:
        first += 1
    return tally.sum_from(first)


def _start_count() -> dict[Any, float]:
    return defaultdict(float)


@dataclass
class _Tally:
    """Predictions and outcomes by the week of the prediction."""

    maturity: float
    now: float
    predictions: dict[tuple[int, Decisions], float] = field(default_factory=_start_count)
    labelled: dict[tuple[int, Outcome], float] = field(default_factory=_start_count)

    def add_prediction(self, one: Increase) -> None:
        week = find_cohort_week(one.labels["cohort"], one.moment)
        decisions = one.labels["champion"], one.labels["challenger"]
        self.predictions[week, decisions] += one.amount

    def add_outcome(self, one: Increase) -> None:
        week = find_cohort_week(one.labels["cohort"], one.moment)
        if one.moment <= self._matures_at(week):
            outcome = one.labels["champion"], one.labels["challenger"], one.labels["truth"]
            self.labelled[week, outcome] += one.amount

    def sum_from(self, first: int) -> MaturedOutcomes:
        """Of the weeks from the first on whose time has come."""
        weeks = sorted({week for week, _ in self.predictions if week >= first})
        matured = {week for week in weeks if self._matures_at(week) <= self.now}
        waiting = [self._matures_at(week) for week in weeks if week not in matured]
        predictions: dict[Decisions, float] = defaultdict(float)
        for (week, decisions), count in self.predictions.items():
            predictions[decisions] += count if week in matured else 0
        labelled: dict[Outcome, float] = defaultdict(float)
        for (week, outcome), count in self.labelled.items():
            labelled[outcome] += count if week in matured else 0
        return MaturedOutcomes(predictions, labelled, len(matured), min(waiting, default=None))

    def _matures_at(self, week: int) -> float:
        return (week + 1) * WEEK_SECONDS + self.maturity
