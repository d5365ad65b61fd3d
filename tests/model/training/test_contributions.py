"""Mean contributions of the holdout are those that the service's explainer would have."""

from __future__ import annotations

import numpy as np
import pytest

from model.data.dataset import Floats
from model.serving.explain import Explainer
from model.training.contributions import measure_contributions


def score(rows: Floats) -> Floats:
    """With an interaction; the last column does not matter."""
    return 1 / (1 + np.exp(2 - rows[:, 0] - rows[:, 0] * rows[:, 1]))


@pytest.mark.parametrize("features", [3, 12], ids=["exact", "permutations"])
def test_means_are_those_of_the_explainer(features: int) -> None:
    """Over 400 rows that differ from the background; five standard errors of sampled orders."""
    chance = np.random.default_rng(1)
    background = chance.normal(size=(20, features))
    rows = chance.normal(0.8, 1, size=(400, features))
    explainer = Explainer(score, background)
    exact = np.mean([explainer.explain(row).contributions for row in rows], axis=0)

    many = np.repeat(rows, 20, axis=0)
    sampled = measure_contributions(score, many, explainer.background, seed=2)

    assert sampled == pytest.approx(exact, abs=5 * 0.3 / len(many) ** 0.5)
    base = score(explainer.background).mean()
    assert sum(sampled) + base == pytest.approx(score(rows).mean(), abs=1e-12)
