"""Recording rules of drift where series are absent, zero, silent or reset.

Counters begin at 0 and end at the moment of the question: there `increase` extrapolates nothing.
"""

from __future__ import annotations

from math import log
from pathlib import Path

import pytest

from prometheus.generator.thresholds import read_thresholds
from tests.lab.promtool import Case
from tests.prometheus.rules.checks import (
    AMOUNT,
    PSI,
    check_rules,
    expect_nothing,
    expect_value,
    move_to_other_host,
)
from tests.prometheus.rules.series import (
    EVEN,
    NEXT_SLOT,
    SKEWED,
    SLOT,
    VERSION,
    handler,
    model,
    of_next_version,
    values_in_bins,
)

pytestmark = pytest.mark.stack


def test_drift_needs_the_minimum_count(tools: Path, tmp_path: Path) -> None:
    """Nothing at four fifths of it, a value when it is reached; zero without any drift."""
    per_minute = read_thresholds().drift.minimum_count / 25
    few = {number: per_minute * value / sum(EVEN.values()) for number, value in EVEN.items()}
    series = model() | values_in_bins("feature_values_total", few, **AMOUNT)
    name = PSI.format("1h")
    questions = (expect_nothing(name, "20m"), expect_value(name, 0, "25m"))
    check_rules(tools, tmp_path, name, Case("few", series, questions))


def test_counters_at_zero_give_nothing(tools: Path, tmp_path: Path) -> None:
    """Neither NaN nor a drift of nothing."""
    series = model() | values_in_bins("feature_values_total", dict.fromkeys(EVEN, 0.0), **AMOUNT)
    check_rules(
        tools,
        tmp_path,
        PSI.format("24h"),
        Case("zero", series, (expect_nothing(PSI.format("24h")),)),
    )


def test_instances_are_added_up_first(tools: Path, tmp_path: Path) -> None:
    """Two instances that each see one half of the bins are together as the baseline."""
    one = values_in_bins("feature_values_total", EVEN | {"01": 0.0, "02": 0.0}, **AMOUNT)
    other = values_in_bins("feature_values_total", EVEN | {"03": 0.0, "04": 0.0}, **AMOUNT)
    series = model() | one | move_to_other_host(model() | other)
    name = PSI.format("1h")
    check_rules(tools, tmp_path, name, Case("two", series, (expect_value(name, 0),)))


def test_reset_counters_count_on(tools: Path, tmp_path: Path) -> None:
    """A restart in one instance is no drift."""
    series = model() | values_in_bins("feature_values_total", EVEN, **AMOUNT)
    restarted = {
        name: "0+25x9 0+25x40" if "0+25.0x" in values else values for name, values in series.items()
    }
    name = PSI.format("1h")
    check_rules(tools, tmp_path, name, Case("reset", restarted, (expect_value(name, 0),)))


def test_silence_keeps_the_long_window(tools: Path, tmp_path: Path) -> None:
    """An hour after the last sample the day's drift is still there; that of 15 minutes is not."""
    busy = {name: values.split("x")[0] + "x20" for name, values in model().items()} | {
        name: values.split("x")[0] + "x20"
        for name, values in values_in_bins("feature_values_total", EVEN, **AMOUNT).items()
    }
    questions = (expect_value(PSI.format("24h"), 0, "80m"),)
    check_rules(tools, tmp_path, PSI.format("24h"), Case("silent", busy, questions))
    questions = (expect_nothing(PSI.format("15m"), "80m"),)
    check_rules(tools, tmp_path, PSI.format("15m"), Case("silent", busy, questions))


def test_two_versions_in_a_window_are_judged_each_by_itself(tools: Path, tmp_path: Path) -> None:
    """A replica that is stuck hides nothing: the one that drifts does, the other does not."""
    even = values_in_bins("feature_values_total", EVEN, **AMOUNT)
    skewed = values_in_bins("feature_values_total", SKEWED, **AMOUNT)
    series = model() | even | of_next_version(model() | skewed)
    name = PSI.format("15m")
    wanted = sum((p - 0.25) * log(p / 0.25) for p in (0.05, 0.25, 0.25, 0.45))
    questions = (
        expect_value(f'{name}{{version_slot="{SLOT}"}}', 0),
        expect_value(f'{name}{{version_slot="{NEXT_SLOT}"}}', wanted),
    )
    check_rules(tools, tmp_path, name, Case("two versions", series, questions))


def test_two_versions_in_one_slot_give_no_drift(tools: Path, tmp_path: Path) -> None:
    """Their bins have other bounds; once the first is out of the window it goes on."""
    series = model() | values_in_bins("feature_values_total", EVEN, **AMOUNT)
    first = handler("model_version", "1x10", role="champion", version=VERSION)
    second = handler("model_version", "_x11 1x60", role="champion", version="9-cd34ab12")
    name = PSI.format("15m")
    questions = (expect_nothing(name, "20m"), expect_value(name, 0, "40m"))
    check_rules(tools, tmp_path, name, Case("one slot", series | first | second, questions))


def test_new_model_on_a_new_host_has_its_own_baseline(tools: Path, tmp_path: Path) -> None:
    """What the host before showed is not mixed in, from the first minutes on."""
    before = {name: values.split("x")[0] + "x10" for name, values in model().items()}
    bins = {f"0{number}": "_x11 0.5x60" for number in (1, 2)}
    after = handler("model_version", "_x11 1x60", role="champion", version=VERSION)
    after |= handler("baseline_rows", "_x11 5000x60")
    for number, share in bins.items():
        after |= handler("feature_baseline_share", share, bin=number, **AMOUNT)
        after |= handler("feature_values_total", "_x11 0+50x60", bin=number, **AMOUNT)
    name = PSI.format("15m")
    check_rules(
        tools,
        tmp_path,
        name,
        Case("hosts", before | of_next_version(after), (expect_value(name, 0, "20m"),)),
    )


def test_a_batch_after_silence_is_counted_once(tools: Path, tmp_path: Path) -> None:
    """Two samples, the old values repeated on waking and the new ones: half the minimum count.

    Taken for twice as many they would be enough, and their chance that of half the variance.
    """
    each = read_thresholds().drift.minimum_count / 2 / len(EVEN)
    series = model() | {
        name: f"1000 _x59 1000 {1000 + each!r} _x30"
        for name in values_in_bins("feature_values_total", EVEN, **AMOUNT)
    }
    counts = 'sum(feature_bin:feature_values:increase15m{feature="amount"})'
    name = PSI.format("15m")
    questions = (expect_nothing(name, "65m"),)
    check_rules(tools, tmp_path, name, Case("woken", series, questions))
    questions = (expect_value(f"round({counts}, 0.001)", 50, "65m"),)
    check_rules(
        tools, tmp_path, "feature_bin:feature_values:increase15m", Case("woken", series, questions)
    )
