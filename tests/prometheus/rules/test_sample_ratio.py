"""The challenger's share of the traffic where customers are divided, not transactions."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from telemetry.metrics import SPLIT_BUCKETS
from tests.lab.promtool import Case
from tests.prometheus.rules.checks import check_rules, expect_nothing, expect_value
from tests.prometheus.rules.series import handler, rising

Floats = npt.NDArray[np.float64]

DAYS, SIGMAS = 1000, 4


def busy_alike(keys: int) -> Callable[[np.random.Generator], Floats]:
    return lambda chance: chance.poisson(20_000 / keys, keys).astype(float)


def busy_unequally(keys: int) -> Callable[[np.random.Generator], Floats]:
    """By a Pareto law: a few customers have much of the traffic."""
    return lambda chance: np.ceil(chance.pareto(1.5, keys) * 20_000 / keys)


def count_false_alarms(
    draw: Callable[[np.random.Generator], Floats], share: float, failing: float = 0.0
) -> tuple[float, float]:
    """Share of days that are told by the test of transactions, and by the rule's.

    Each day is of new keys, divided without a fault, or with so many of the challenger's answers
    failing.
    """
    chance, told, by_key = np.random.default_rng(1), 0, 0
    buckets = len(SPLIT_BUCKETS)
    for _ in range(DAYS):
        busy = draw(chance)
        total = busy.sum()
        answered = busy @ (chance.random(busy.size) < share) * (1 - failing)
        grouped = np.bincount(chance.integers(0, buckets, busy.size), busy, buckets)
        of_keys = buckets / (buckets - 1) * ((grouped**2).sum() / total**2 - 1 / buckets)
        distance = abs(answered / total - share)
        deviation = np.sqrt(share * (1 - share) / total)
        told += distance > SIGMAS * deviation
        by_key += distance > SIGMAS * np.sqrt(share * (1 - share) * max(of_keys, 1 / total))
    return told / DAYS, by_key / DAYS


@pytest.mark.parametrize(
    ("draw", "share", "before"),
    [
        pytest.param(busy_alike(100), 0.1, 0.6, id="100 alike"),
        pytest.param(busy_alike(1000), 0.1, 0.2, id="1,000 alike"),
        pytest.param(busy_alike(20_000), 0.5, 0.0, id="20,000 alike"),
        pytest.param(busy_unequally(2000), 0.1, 0.5, id="2,000 unequally"),
    ],
)
def test_false_alarms_of_days_without_a_fault(
    draw: Callable[[np.random.Generator], Floats], share: float, before: float
) -> None:
    """At most four days in a thousand; by transaction so many as `before`, or more."""
    by_transaction, by_key = count_false_alarms(draw, share)

    assert by_transaction >= before
    assert by_key <= 0.004


def test_failures_are_still_told() -> None:
    """A third of the challenger's answers fail: with 20,000 customers of a day always told."""
    assert count_false_alarms(busy_alike(20_000), 0.1, failing=0.3)[1] > 0.99


@pytest.mark.stack
def test_rule_is_the_formula(tools: Path, tmp_path: Path) -> None:
    """20 transactions a minute of the first group of keys and 10 of each of three others, a tenth
    of them for the challenger; what was served before the split is no part of it."""
    counts = dict(zip(SPLIT_BUCKETS[:4], (20, 10, 10, 10), strict=True))
    groups, total = len(SPLIT_BUCKETS), sum(counts.values())
    series = handler("served_total", rising(45), role="champion")
    series |= handler("served_total", rising(5), role="challenger")
    served_alone = handler("served_total", rising(45), role="champion")
    earlier = {name.replace("host-0", "host-1"): "1000+1000x10 11000x390" for name in served_alone}
    for role, share in (("champion", 0.9), ("challenger", 0.1)):
        series |= handler("expected_served_total", rising(share * total), role=role)
    for bucket, count in counts.items():
        for role, share in (("champion", 0.9), ("challenger", 0.1)):
            labels = {"role": role, "bucket": bucket}
            series |= handler("split_transactions_total", rising(share * count), **labels)
    squares = sum(count**2 for count in counts.values())
    of_keys = groups / (groups - 1) * (squares / total**2 - 1 / groups)
    name = "job:challenger:share_deviation24h"
    check_rules(
        tools,
        tmp_path,
        name,
        Case("split", series, (expect_value(name, (0.09 * of_keys) ** 0.5),)),
        Case("no split", served_alone, (expect_nothing(name),)),
    )
    for recorded, value in (("share24h", 0.1), ("share_expected24h", 0.1), ("share_of_own24h", 1)):
        recorded = f"job:challenger:{recorded}"
        both = Case("split", series | earlier, (expect_value(recorded, value),))
        check_rules(tools, tmp_path, recorded, both)
