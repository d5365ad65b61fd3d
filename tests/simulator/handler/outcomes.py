"""Outcomes: predictions by predicted and true class, as the service and as a summary has them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

from tests.simulator.runs import Summary

Outcome = tuple[str, str]
ReadOutcomes = Callable[[], Counter[Outcome]]
Before = dict[str, Callable[[], str | None]]


def summed_outcomes(summary: Summary) -> Counter[Outcome]:
    """What the summary says, by predicted and true class."""
    return Counter(
        {(o["predicted"], o["truth"]): o["count"] for o in summary["labels"]["outcomes"]}
    )
