"""The grid of false alarms: its formulas are the rules', and repeated customers raise nothing."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import norm

from bench.detection import lasting
from bench.detection.conditions import Floats, distance
from bench.detection.false_alarms_numpy import DAY
from bench.detection.grid import Traffic, count_feature_alarms, measure_delays
from bench.detection.steady import BASELINE_ROWS, DECILES, Series
from prometheus.generator.recordings.baseline import FEATURES
from prometheus.generator.recordings.lasting import evidence
from prometheus.generator.thresholds import read_thresholds
from tests.lab.promtool import ask

LIMITS = read_thresholds()
BLOCKS = 150


def draw_blocks(rate: float, shift: float) -> tuple[Floats, Floats]:
    """Counts by block and bin of a feature whose mean is so many standard deviations higher."""
    random = np.random.default_rng(8)
    shares = np.diff(norm.cdf(norm.ppf(np.arange(11) / 10) - shift))
    arriving = random.poisson(rate * lasting.SECONDS, BLOCKS)
    base = random.multinomial(BASELINE_ROWS, np.full(10, 0.1)) / BASELINE_ROWS
    return random.multinomial(arriving, shares).astype(float), base


def name_series(counts: Floats, base: Floats) -> Series:
    """What the handler shows of them, a sample each block."""
    job = 'job="drawn", instance="host-0"'
    found = {f'model_version{{{job}, role="champion", version="1-ab12cd34"}}': f"1x{BLOCKS}"}
    found[f"baseline_rows{{{job}}}"] = f"{BASELINE_ROWS}x{BLOCKS}"
    for bin_name, column, share in zip(DECILES, counts.T, base.tolist(), strict=True):
        totals = " ".join(f"{total:g}" for total in np.concatenate([[0], np.cumsum(column)]))
        labels = f'{{{job}, feature="feature_0", bin="{bin_name}"}}'
        found[f"feature_values_total{labels}"] = totals
        found[f"feature_baseline_share{labels}"] = f"{share!r}x{BLOCKS}"
    return found


@pytest.mark.stack
@pytest.mark.parametrize("rate", [0.05, 1.0])
def test_numpy_and_rules_agree(rate: float) -> None:
    """Evidence and distance after ten hours, of a quarter of a standard deviation."""
    counts, base = draw_blocks(rate, 0.2)
    hour = 3600 // lasting.SECONDS
    names = evidence(FEATURES), FEATURES.name("distance", "1h")
    found = ask(name_series(counts, base), names, lasting.SECONDS, BLOCKS, *names)
    grown, far = (next(iter(each.values())) for each in found)
    assert grown == pytest.approx(lasting.evidence(counts, base, LIMITS)[-1], rel=1e-9)
    assert far == pytest.approx(float(distance(counts[-hour:].sum(0), base)), rel=1e-9)


def test_repeated_customers_are_no_drift(monkeypatch: pytest.MonkeyPatch) -> None:
    """Five times each, at 0.2 a second: two days, in which it was told again and again."""
    monkeypatch.setattr("bench.detection.grid.DAYS", 2)
    monkeypatch.setattr("bench.detection.grid.FEATURES", (5,))
    found = count_feature_alarms(np.random.default_rng(3), LIMITS, Traffic(0.2, 5, False))
    before, now = found[5]
    assert before > 100
    assert now == 0


def test_a_shift_is_seen_as_soon_as_before() -> None:
    """Half a standard deviation, independent transactions: a quarter later at most."""
    found = measure_delays(np.random.default_rng(3), LIMITS, Traffic(1.0, 1, False), 0.5)
    assert found["100"] <= 1.25 * found["before"]


def test_a_small_shift_that_lasts_is_seen_in_a_quarter_of_a_day() -> None:
    """A quarter of a standard deviation: before, the window of a day had to fill."""
    found = measure_delays(np.random.default_rng(3), LIMITS, Traffic(1.0, 1, False), 0.25)
    assert found["29"] < DAY / 4 < found["before"]
