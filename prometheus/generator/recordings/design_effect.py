"""Of how many independent transactions a window's counts are worth as much.

Callers repeat themselves: of n transactions each of which comes m times, counts vary as if there
were n / m. The design effect is sum n_k^2 / n = 1 + pairs / n, with row k seen n_k times and the
ordered pairs of the same row as the handler counts them (telemetry/repeats.py), less those that
chance gives where rows are few. Wherever chance is computed the number of transactions is
divided by it; it is 1 where nothing repeats itself, and where a handler counts no pairs.

A worker sees the repetitions that come to itself. Requests go to any of them, so a job whose
workers scored n_w each has (sum n_w)^2 / sum n_w^2 times as many; what a batch or a connection
repeats is overstated by that.

It is taken to be `most_repeats` at most. Where everything is one and the same transaction, chance
would explain whatever is seen, and a feed that is stuck must not go unnoticed.

It sees rows that are equal in every feature. A customer whose transactions differ in one of them is
not seen to be the same.
"""

from __future__ import annotations

from prometheus.generator.durations import Durations
from prometheus.generator.promql import sum_increase
from prometheus.generator.rule import Record
from telemetry.metrics import FOLLOWED_PAIRS, FOLLOWED_ROWS, PAIRS_BY_CHANCE, PAIRS_SEEN

LABELLED = "24h"  # the window whose design effect stands for that of labelled outcomes


def record_design_effect(window: str, durations: Durations, most: float) -> Record:
    """The design effect of a window's transactions, from 1 to `most`."""
    span, of_window = durations(window), f'window="{window}"'

    def count(name: str, by: str, *matchers: str) -> str:
        return sum_increase(f"{name}{{{', '.join((of_window, *matchers))}}}", span, by)

    rows = count(FOLLOWED_ROWS.exposed, "job")
    each = count(FOLLOWED_ROWS.exposed, "job, instance")
    seen, by_chance = (
        count(FOLLOWED_PAIRS.exposed, "job", f'source="{source}"')
        for source in (PAIRS_SEEN, PAIRS_BY_CHANCE)
    )
    return Record(
        _name(window),
        f"""
        clamp_max(clamp_min(
          1 + ({seen} - {by_chance})
          * {rows} / (sum by (job) ({each} ^ 2) > 0),
          1), {most:g}
        )
        """,
    )


def effective(count: str, window: str) -> str:
    """The number of independent transactions that a count of transactions is worth."""
    return f"({count}) / on (job) group_left () {_name(window)}\nor {count}"


def widen(deviation: str, window: str = LABELLED, power: float = 0.5) -> str:
    """A standard deviation of independent transactions (a variance: power 1) as it really is."""
    factor = f"on (job) group_left () {_name(window)} ^ {power:g}"
    return f"({deviation}) * {factor}\nor {deviation}"


def _name(window: str) -> str:
    return f"job:predictions:design_effect{window}"
