"""Which increases of the paired outcomes belong to the pair, and who was right in each cell."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from model.promotion.increases import PairCounter, Shown
from model.promotion.outcomes import count_outcomes
from model.promotion.sequential_test import PairedOutcomes
from prometheus.client.query import History
from tests.model.promotion.pairs import CAUGHT, PAIR

BOTH = frozenset({("champion", PAIR[0]), ("challenger", PAIR[1])})
EARLIER = frozenset({("champion", "0-cccccccc"), ("challenger", PAIR[1])})


def make_series(
    values: list[float | None], instance: str = "a", cell: Mapping[str, str] = CAUGHT
) -> History:
    samples = [(float(at), value) for at, value in enumerate(values) if value is not None]
    return History({"instance": instance, **cell}, tuple(samples))


def count(series: list[History], shown: Shown) -> PairedOutcomes:
    return count_outcomes(PairCounter(PAIR).take(series, shown))


@pytest.mark.parametrize(
    ("values", "shown", "expected"),
    [
        ([0, 2, 5], [BOTH] * 3, 5),
        ([7, 7, 9], [BOTH] * 3, 2),
        ([4, 6, 1, 3], [BOTH] * 4, 5),
        ([0, 10, 13, 14], [EARLIER, EARLIER, BOTH, BOTH], 1),
        ([0, 10, 13, 14], [BOTH, BOTH, BOTH | EARLIER, EARLIER], 10),
        ([0, 10, None, 14, 15], [BOTH] * 5, 15),
        ([0, 10], [frozenset({("champion", PAIR[0])})] * 2, 0),
        ([0, 10], [], 0),
    ],
    ids=[
        "all", "not what was there before", "began anew", "not of an earlier pair",
        "not of a later one, nor while both are shown", "over a silence", "no challenger",
        "nothing shown",
    ],
)  # fmt: skip
def test_increase_belongs_to_the_pair_that_is_shown_before_and_after(
    values: list[float | None], shown: list[frozenset[tuple[str, str]]], expected: float
) -> None:
    paired = count(
        [make_series(values)], {"a": {float(at): models for at, models in enumerate(shown)}}
    )
    assert (paired.frauds_better, paired.outcomes) == (expected, expected)


def test_workers_are_added_up_each_by_what_it_shows() -> None:
    loaded: Shown = {
        "a": {0: BOTH, 1: BOTH},
        "b": {0: EARLIER, 1: EARLIER},
        "c": {0: BOTH, 1: BOTH},
    }
    series = [make_series([0, 1], "a"), make_series([0, 10], "b"), make_series([0, 100], "c")]
    assert count(series, loaded).outcomes == 101


@pytest.mark.parametrize(
    ("champion", "challenger", "truth", "field"),
    [
        ("legitimate", "fraud", "fraud", "frauds_better"),
        ("fraud", "legitimate", "fraud", "frauds_worse"),
        ("fraud", "legitimate", "legitimate", "alarms_better"),
        ("legitimate", "fraud", "legitimate", "alarms_worse"),
        ("fraud", "fraud", "fraud", "alike"),
        ("fraud", "fraud", "legitimate", "alike"),
        ("legitimate", "legitimate", "fraud", "alike"),
        ("legitimate", "legitimate", "legitimate", "alike"),
    ],
)
def test_cell_is_for_whoever_was_right(
    champion: str, challenger: str, truth: str, field: str
) -> None:
    cell = {"champion": champion, "challenger": challenger, "truth": truth}
    paired = count([make_series([0, 3], cell=cell)], {"a": {0: BOTH, 1: BOTH}})
    assert getattr(paired, field) == paired.outcomes == 3
