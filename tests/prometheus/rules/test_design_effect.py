"""Repeated transactions in the rules: chance is that of the independent ones."""

from __future__ import annotations

from pathlib import Path

import pytest

from prometheus.generator.thresholds import read_thresholds
from tests.lab.promtool import Case
from tests.prometheus.rules.checks import (
    AMOUNT,
    check_rules,
    expect_nothing,
    expect_value,
    move_to_other_host,
)
from tests.prometheus.rules.series import EVEN, handler, model, rising, values_in_bins

pytestmark = pytest.mark.stack

EFFECT = "job:predictions:design_effect15m"
INDEPENDENT = 'feature:feature_values:independent15m{feature="amount"}'


def followed(rows: float, seen: float, by_chance: float = 0.0) -> dict[str, str]:
    """Transactions and pairs a minute, in the window of 15 minutes."""
    return (
        handler("followed_rows_total", rising(rows), window="15m")
        | handler("followed_row_pairs_total", rising(seen), window="15m", source="seen")
        | handler("followed_row_pairs_total", rising(by_chance), window="15m", source="chance")
    )


@pytest.mark.parametrize(
    ("rows", "seen", "by_chance", "wanted"),
    [
        (100, 0, 0, 1),
        (100, 400, 0, 5),
        (100, 500, 100, 5),
        (100, 50, 100, 1),
        (100, 9000, 0, read_thresholds().drift.most_repeats),
    ],
    ids=["none", "five times each", "less those by chance", "fewer than chance", "all the same"],
)
def test_design_effect(
    tools: Path, tmp_path: Path, rows: float, seen: float, by_chance: float, wanted: float
) -> None:
    """1 + pairs / rows, between 1 and the most that is believed."""
    series = model() | followed(rows, seen, by_chance)
    check_rules(tools, tmp_path, EFFECT, Case("pairs", series, (expect_value(EFFECT, wanted),)))


def test_two_workers_see_half_of_the_pairs_each(tools: Path, tmp_path: Path) -> None:
    """Rows that come five times, to either of two workers: each sees 2 of 4 others."""
    series = followed(50, 100) | move_to_other_host(followed(50, 100))
    check_rules(tools, tmp_path, EFFECT, Case("workers", series, (expect_value(EFFECT, 5),)))


def test_drift_is_judged_by_independent_transactions(tools: Path, tmp_path: Path) -> None:
    """A fifth of 1,500; all of them where the handler counts no pairs."""
    values = model() | values_in_bins("feature_values_total", EVEN, **AMOUNT)
    repeated = Case("repeated", values | followed(100, 400), (expect_value(INDEPENDENT, 300),))
    unknown = Case("not counted", values, (expect_value(INDEPENDENT, 1500),))
    wanted = "feature:feature_values:independent15m"
    check_rules(tools, tmp_path, wanted, repeated, unknown)


def test_no_transactions_have_no_design_effect(tools: Path, tmp_path: Path) -> None:
    """Neither NaN nor infinity."""
    series = model() | followed(0, 0)
    check_rules(tools, tmp_path, EFFECT, Case("idle", series, (expect_nothing(EFFECT),)))
