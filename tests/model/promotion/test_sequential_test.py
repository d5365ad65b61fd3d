"""The test behind `promote --if-better`: its e-process by other means, bounds, error rate."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt
import pytest
from scipy.integrate import quad
from scipy.special import betainc, betaln

from bench.if_better import Trial, measure_verdicts
from model.promotion.sequential_test import PairedOutcomes, compare_models, log_e_process
from model.training.threshold import CostRule, PrecisionRule, read_cost_ratio

Floats = npt.NDArray[np.float64]

CASES = [
    PairedOutcomes(3, 1, 2, 2, 100),
    PairedOutcomes(30, 10, 5, 20, 10_000),
    PairedOutcomes(0, 12, 0, 3, 5),
    PairedOutcomes(9, 0, 4, 0, 5),
    PairedOutcomes(3000, 2500, 400, 800, 1e6),
]


def tabulate(paired: PairedOutcomes, ratio: float) -> tuple[Floats, Floats]:
    fraud, alarm = ratio / max(ratio, 1), 1 / max(ratio, 1)
    gains = np.array([fraud, -fraud, alarm, -alarm, 0.0])
    counts = np.array(
        [
            paired.frauds_better, paired.frauds_worse,
            paired.alarms_better, paired.alarms_worse, paired.alike,
        ]
    )  # fmt: skip
    return gains, counts


@pytest.mark.parametrize("paired", CASES)
@pytest.mark.parametrize("ratio", [0.25, 1.0, 3.0])
def test_e_process_is_what_scipy_integrates(paired: PairedOutcomes, ratio: float) -> None:
    gains, counts = tabulate(paired, ratio)
    seen = counts > 0

    def log_wealth(bet: float) -> float:
        return float(np.log1p(bet * gains[seen]) @ counts[seen])

    grid = np.linspace(1e-9, 1 - 1e-9, 20_001)
    heights = np.array([log_wealth(bet) for bet in grid])
    top = heights.max()
    near = grid[heights > top - 60]
    value, _ = quad(
        lambda bet: math.exp(log_wealth(bet) - top),
        max(0.0, near[0] - 1e-4), min(1.0, near[-1] + 1e-4),
        points=[grid[heights.argmax()]], epsrel=1e-12, limit=500,
    )  # fmt: skip
    assert log_e_process(gains, counts, 0.0) == pytest.approx(top + math.log(value), abs=1e-8)


@pytest.mark.parametrize(("right", "wrong"), [(0, 0), (5, 0), (0, 7), (40, 25), (4000, 3800)])
def test_e_process_where_all_errors_cost_the_same_is_an_incomplete_beta_function(
    right: int, wrong: int
) -> None:
    """(1+s)^a (1-s)^c over [0, 1] is 2^(a+c+1) times t^a (1-t)^c over [1/2, 1]."""
    a, c = right + 1, wrong + 1
    expected = (a + c - 1) * math.log(2) + betaln(a, c) + math.log(betainc(c, a, 0.5))
    gains, counts = tabulate(PairedOutcomes(right, wrong), 1.0)
    assert log_e_process(gains, counts, 0.0) == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize("paired", CASES)
def test_models_with_changed_roles_get_the_opposite_verdict(paired: PairedOutcomes) -> None:
    swapped = PairedOutcomes(
        paired.frauds_worse, paired.frauds_better,
        paired.alarms_worse, paired.alarms_better, paired.alike,
    )  # fmt: skip
    one, other = compare_models(paired, 3, 0.05), compare_models(swapped, 3, 0.05)
    opposite = {"promote": "keep", "keep": "promote"}
    assert other.verdict == opposite.get(one.verdict, one.verdict)
    assert (other.gain, other.gain_low) == pytest.approx((-one.gain, -one.gain_high), abs=1e-8)


@pytest.mark.parametrize("paired", CASES)
def test_bounds_are_where_the_verdict_turns(paired: PairedOutcomes) -> None:
    """Promoted exactly if the lower bound of the gain is above 0; the bounds enclose the gain."""
    result = compare_models(paired, 3, 0.05)
    assert -1 <= result.gain_low < result.gain < result.gain_high <= 1
    assert (result.verdict == "promote") == (result.gain_low > 0)
    assert (result.verdict == "keep") == (result.gain_high < 0)


def test_no_labels_decide_nothing() -> None:
    result = compare_models(PairedOutcomes(), 3, 0.05)
    assert (result.verdict, result.evidence_better, result.gain) == ("not enough labels", 0, 0)
    assert (result.gain_low, result.gain_high) == (-1, 1)


def test_agreement_alone_narrows_the_bounds_and_decides_nothing() -> None:
    few, many = (compare_models(PairedOutcomes(alike=n), 3, 0.05) for n in (100, 10_000))
    assert few.verdict == many.verdict == "not enough labels"
    assert 0 < many.gain_high < few.gain_high / 10


def test_dear_false_alarms_decide_against_more_caught_frauds() -> None:
    """Twice as many frauds, ten times as many false alarms."""
    paired = PairedOutcomes(200, 100, 20, 200, 10_000)
    assert compare_models(paired, 30, 0.05).verdict == "promote"
    assert compare_models(paired, 0.2, 0.05).verdict == "keep"


def test_without_a_difference_hardly_anything_is_promoted_whenever_one_looks() -> None:
    """Looks after every 250 of 5,000 labels; bench.if_better has the figure for more runs."""
    wrong = measure_verdicts(Trial(gain_of_recall=0.0), runs=60, labels=5_000, every=250, seed=7)
    assert wrong.promoted <= 0.05


def test_a_clear_gain_is_promoted() -> None:
    """20 points of recall."""
    found = measure_verdicts(Trial(gain_of_recall=0.2), runs=20, labels=20_000, every=500, seed=7)
    assert found.promoted >= 0.95
    assert found.kept == 0


def test_cost_ratio_is_read_from_what_a_card_says_of_its_threshold() -> None:
    assert [read_cost_ratio(str(CostRule(ratio))) for ratio in (3.0, 0.5, 12.25)] == [3, 0.5, 12.25]
    assert read_cost_ratio(f"on the validation rows: {CostRule(4.0)}") == 4
    assert read_cost_ratio(str(PrecisionRule(0.5))) is None
