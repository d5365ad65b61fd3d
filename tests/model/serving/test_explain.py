"""Contributions are Shapley values: held against the definition, the sum, and the shap package."""

from __future__ import annotations

import math
import warnings
from collections.abc import Iterable
from itertools import combinations

import numpy as np
import numpy.typing as npt
import pytest

from model.serving.explain import Explainer

Floats = npt.NDArray[np.float64]

COEFFICIENTS = np.linspace(-1.5, 2.0, 29)


def score(rows: Floats) -> Floats:
    """A smooth score with interactions between neighbours, for any number of columns."""
    weights = COEFFICIENTS[: rows.shape[1]]
    logits = rows @ weights + 0.8 * rows[:, 0] * rows[:, 1] - 0.5 * rows[:, -1] * rows[:, 0]
    return 1 / (1 + np.exp(-logits))


def background(features: int, rows: int = 20) -> Floats:
    return np.random.default_rng(3).normal(size=(rows, features))


def by_definition(row: Floats, stored: Floats) -> list[float]:
    """The formula of the module, set by set."""
    features = len(row)

    def value(members: Iterable[int]) -> float:
        mixed = stored.copy()
        mixed[:, list(members)] = row[list(members)]
        return float(score(mixed).mean())

    contributions = []
    for i in range(features):
        others = [n for n in range(features) if n != i]
        total = 0.0
        for size in range(features):
            weight = math.factorial(size) * math.factorial(features - size - 1)
            for members in combinations(others, size):
                total += weight * (value((*members, i)) - value(members))
        contributions.append(total / math.factorial(features))
    return contributions


@pytest.mark.parametrize("features", [2, 3, 5])
def test_exact_values_are_those_of_the_definition(features: int) -> None:
    stored, row = background(features), np.full(features, 0.7)
    explanation = Explainer(score, stored).explain(row)
    assert explanation.contributions == pytest.approx(by_definition(row, stored), abs=1e-12)
    assert explanation.standard_errors is None


@pytest.mark.parametrize("features", [2, 5, 10, 11, 29])
def test_contributions_add_up_to_score_minus_base_value(features: int) -> None:
    stored, row = background(features), np.linspace(-1, 1, features)
    explanation = Explainer(score, stored).explain(row)
    difference = float(score(row[None, :])[0]) - explanation.base_value
    assert sum(explanation.contributions) == pytest.approx(difference, abs=1e-12)


@pytest.mark.parametrize("features", [5, 29])
def test_base_value_is_the_mean_score_of_the_background(features: int) -> None:
    stored = background(features)
    explanation = Explainer(score, stored).explain(np.zeros(features))
    assert explanation.base_value == pytest.approx(score(stored).mean(), abs=1e-12)


def test_feature_that_does_not_matter_contributes_nothing() -> None:
    def deaf(rows: Floats) -> Floats:
        return score(np.delete(rows, 2, axis=1))

    explanation = Explainer(deaf, background(5)).explain(np.full(5, 9.0))
    assert explanation.contributions[2] == pytest.approx(0, abs=1e-12)


def test_exact_values_are_those_of_shap() -> None:
    """shap's own exact explainer over the same background."""
    stored, row = background(5), np.array([0.3, -1.0, 0.9, 2.0, -0.4])
    ours = Explainer(score, stored).explain(row).contributions
    assert ours == pytest.approx(shap_values(stored, row), abs=1e-9)


def shap_values(stored: Floats, row: Floats) -> list[float]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import shap

        masker = shap.maskers.Independent(stored, max_samples=len(stored))
        values: list[float] = shap.explainers.Exact(score, masker)(row[None, :]).values[0].tolist()
        return values


def test_permutations_come_within_their_standard_error_of_the_exact_values(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The same 8 features both ways: at most one of eight is more than 3 errors away."""
    stored, row = background(8), np.linspace(-1, 1, 8)
    exact = np.array(Explainer(score, stored).explain(row).contributions)
    monkeypatch.setattr("model.serving.explain.EXACT_FEATURES", 7)
    sampled = Explainer(score, stored).explain(row)
    distance = np.abs(np.array(sampled.contributions) - exact)
    errors = np.array(sampled.standard_errors)
    assert (errors > 0).all()
    assert (distance > 3 * errors).sum() <= 1


def test_same_row_gets_the_same_reasons() -> None:
    explainer = Explainer(score, background(29))
    assert explainer.explain(np.ones(29)) == explainer.explain(np.ones(29))


def test_one_call_of_the_scorer_is_enough() -> None:
    calls = []

    def counting(rows: Floats) -> Floats:
        calls.append(len(rows))
        return score(rows)

    Explainer(counting, background(5)).explain(np.ones(5))
    assert calls == [32 * 20]


@pytest.mark.parametrize("features", [5, 15], ids=["exact", "permutations"])
def test_estimates_are_cheaper_add_up_and_are_right_on_average(features: int) -> None:
    scored: list[int] = []

    def counting(rows: Floats) -> Floats:
        scored.append(len(rows))
        return score(rows)

    explainer = Explainer(counting, background(features, rows=100))
    row, chance = np.linspace(-1, 1, features), np.random.default_rng(7)
    whole = explainer.explain(row)
    estimates = [explainer.estimate(row, chance) for _ in range(200)]
    assert max(scored[1:]) <= scored[0] / 5
    for one in estimates:
        assert one.base_value + sum(one.contributions) == pytest.approx(float(score(row[None])[0]))
    drawn = np.array([one.contributions for one in estimates])
    standard_error = drawn.std(axis=0, ddof=1) / math.sqrt(len(drawn))
    distance = np.abs(drawn.mean(axis=0) - np.array(whole.contributions))
    assert (distance <= 4 * standard_error + 1e-12).all()


def test_estimate_of_a_small_background_is_exact() -> None:
    explainer = Explainer(score, background(5, rows=20))
    estimate = explainer.estimate(np.ones(5), np.random.default_rng(1))
    assert estimate.contributions == pytest.approx(explainer.explain(np.ones(5)).contributions)


def test_many_features_take_bounded_memory() -> None:
    """The scorer never gets more than 10,000 rows; an estimate scores fewer the wider they are."""
    calls: list[int] = []

    def sum_of_all(rows: Floats) -> Floats:
        calls.append(len(rows))
        return np.asarray(rows.sum(axis=1))

    explainer = Explainer(sum_of_all, background(500, rows=100))
    row = np.linspace(-1, 1, 500)
    whole = explainer.explain(row)
    assert sum(calls) == 200 * 501
    assert max(calls) <= 10_000
    assert whole.base_value + sum(whole.contributions) == pytest.approx(row.sum())
    calls.clear()
    estimate = explainer.estimate(row, np.random.default_rng(1))
    assert sum(calls) == 4 * 501
    assert estimate.base_value + sum(estimate.contributions) == pytest.approx(row.sum())
