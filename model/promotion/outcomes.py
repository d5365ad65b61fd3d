"""Labelled outcomes of one champion and one challenger, out of what a Prometheus has kept."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping

from model.promotion.increases import Increase, Pair, PairCounter, Samples, read_increases
from model.promotion.sequential_test import PairedOutcomes
from model.serving.vocabulary import FRAUD, LEGITIMATE

Cell = tuple[str, str, str]
# Decision of the champion, of the challenger, true class (label `truth`): field of PairedOutcomes.
_KINDS: Mapping[Cell, str] = {
    (LEGITIMATE, FRAUD, FRAUD): "frauds_better",
    (FRAUD, LEGITIMATE, FRAUD): "frauds_worse",
    (FRAUD, LEGITIMATE, LEGITIMATE): "alarms_better",
    (LEGITIMATE, FRAUD, LEGITIMATE): "alarms_worse",
}


def fetch_outcomes(
    prometheus: Samples, job: str, pair: Pair, start: float, end: float
) -> PairedOutcomes:
    """Labelled outcomes of `pair`, champion and challenger, from while both were loaded."""
    counter = PairCounter(pair)
    metric = "paired_outcomes_total"
    return count_outcomes(read_increases(prometheus, job, counter, metric, start, end))


def count_outcomes(increases: Iterable[Increase]) -> PairedOutcomes:
    """All of them together, by who was right."""
    kinds: dict[str, float] = defaultdict(float)
    for one in increases:
        cell = (one.labels.get(name, "") for name in ("champion", "challenger", "truth"))
        kinds[classify(*cell)] += one.amount
    return PairedOutcomes(**kinds)


def classify(champion: str, challenger: str, label: str) -> str:
    """The field of PairedOutcomes for two decisions and the true class."""
    return _KINDS.get((champion, challenger, label), "alike")
