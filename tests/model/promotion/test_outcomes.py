"""Which labelled outcomes belong to the pair, and whom they favour."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from model.promotion.outcomes import count_outcomes
from prometheus.client.query import MOST_POINTS, Series, span_of
from tests.model.promotion.pairs import CAUGHT, PAIR

BOTH = frozenset({("champion", PAIR[0]), ("challenger", PAIR[1])})
EARLIER = frozenset({("champion", "0-cccccccc"), ("challenger", PAIR[1])})


def make_series(
    values: list[float | None], instance: str = "a", cell: Mapping[str, str] = CAUGHT
) -> Series:
    points = {step: value for step, value in enumerate(values) if value is not None}
    return Series({"instance": instance, **cell}, points)


@pytest.mark.parametrize(
    ("values", "shown", "expected"),
    [
        ([0, 2, 5], [BOTH] * 3, 5),
        ([7, 7, 9], [BOTH] * 3, 2),
        ([4, 6, 1, 3], [BOTH] * 4, 5),
        ([0, 10, 13, 14], [EARLIER, EARLIER, BOTH, BOTH], 1),
        ([0, 10, 13, 14], [BOTH, BOTH, BOTH | EARLIER, EARLIER], 10),
        ([0, 10, None, 14, 15], [BOTH] * 5, 11),
        ([0, 10], [frozenset({("champion", PAIR[0])})] * 2, 0),
        ([0, 10], [], 0),
    ],
    ids=[
        "all", "not what was there before", "began anew", "not of an earlier pair",
        "not of a later one, nor while both are shown", "not over a gap", "no challenger",
        "nothing shown",
    ],
)  # fmt: skip
def test_increase_belongs_to_the_pair_that_is_shown_before_and_after(
    values: list[float | None], shown: list[frozenset[tuple[str, str]]], expected: float
) -> None:
    paired = count_outcomes([make_series(values)], {"a": dict(enumerate(shown))}, PAIR)
    assert (paired.frauds_better, paired.outcomes) == (expected, expected)


def test_workers_are_added_up_each_by_what_it_shows() -> None:
    loaded = {"a": {0: BOTH, 1: BOTH}, "b": {0: EARLIER, 1: EARLIER}, "c": {0: BOTH, 1: BOTH}}
    series = [make_series([0, 1], "a"), make_series([0, 10], "b"), make_series([0, 100], "c")]
    assert count_outcomes(series, loaded, PAIR).outcomes == 101


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
    paired = count_outcomes([make_series([0, 3], cell=cell)], {"a": {0: BOTH, 1: BOTH}}, PAIR)
    assert getattr(paired, field) == paired.outcomes == 3


@pytest.mark.parametrize("days", [0.001, 1, 30, 400])
def test_span_is_asked_in_no_more_points_than_are_answered(days: float) -> None:
    span = span_of(1_000_000_000, 1_000_000_000 + 86_400 * days)
    assert (span.end - span.start) / span.step <= MOST_POINTS
