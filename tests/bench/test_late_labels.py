"""Recall of a new version while labels come late: what is shown, and what it rests on."""

from __future__ import annotations

import numpy as np
import pytest

from bench.late_labels import DAY, PATTERNS, RECALL, Shown, correct, draw, show


def shown(pattern: str, day: float) -> list[Shown]:
    """Three runs of a smaller service."""
    return [show(draw(seed, PATTERNS[pattern], 4000), day * DAY) for seed in range(3)]


def mean(of: list[Shown], what: str) -> float:
    return float(np.mean([getattr(one, what) for one in of]))


LATE = "missed frauds after 15 d, the rest after 6 h"


@pytest.mark.parametrize(("day", "flattered"), [(1.0, 0.97), (7, 0.85), (14, 0.73)])
def test_flattering_recall_is_not_judged(day: float, flattered: float) -> None:
    """0.6 shows as 0.97, 0.85 and 0.73 or more while the missed frauds have no labels yet."""
    runs = shown(LATE, day)
    assert mean(runs, "plain") >= flattered
    assert not any(one.judged for one in runs)


def test_recall_is_judged_when_its_labels_have_come() -> None:
    runs = shown(LATE, 60)
    assert all(one.judged for one in runs)
    assert mean(runs, "plain") == pytest.approx(RECALL, abs=0.04)


@pytest.mark.parametrize("day", [7.0, 14, 30])
def test_recall_of_part_labels_is_corrected(day: float) -> None:
    """Where a tenth of what raised no alarm is labelled plain recall stays at 0.94; where the rest
    is late, it falls from 0.87 to 0.65. Corrected it is right in both from the first week on."""
    for pattern in (
        "alarms and a tenth of the rest, at once",
        "alarms after 6 h, the rest after 15 d",
    ):
        runs = shown(pattern, day)
        assert mean(runs, "plain") > RECALL + 0.03
        assert mean(runs, "corrected") == pytest.approx(RECALL, abs=0.08)


def test_interval_holds_the_truth_as_often_as_it_says() -> None:
    """95 % of the intervals, drawn from binomials: 200 alarms labelled, of 20,000 a thousand."""
    random, holds = np.random.default_rng(3), 0
    alarms, others, found, missed = 200, 20_000, 0.5, 0.0033
    recall = alarms * found / (alarms * found + others * missed)
    for _ in range(1000):
        seen = random.binomial(others + alarms, alarms / (others + alarms))
        labelled = [seen, 1000]
        frauds = [random.binomial(seen, found), random.binomial(1000, missed)]
        low, _, high = correct([seen, others + alarms - seen], labelled, frauds)
        holds += low <= recall <= high
    assert 930 <= holds <= 990
