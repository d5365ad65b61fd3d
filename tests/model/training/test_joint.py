"""The card tells how features go together, in few numbers and in no person's row."""

from __future__ import annotations

import random

import numpy as np
import pytest

from model.data.dataset import Column, Floats
from model.serving.joint_ranks import JointRanks
from model.training.joint import MIN_CELL_ROWS, describe_joint


def make_columns(count: int) -> list[Column]:
    return [Column(name=f"f{index}", type="number") for index in range(count)]


def make_rows(rows: int, features: int) -> tuple[Floats, Floats]:
    """Rows whose first two features rise together, and scores that rise with their sum."""
    chance = np.random.default_rng(1)
    values = chance.normal(size=(rows, features))
    values[:, 1] = 0.9 * values[:, 0] + 0.44 * values[:, 1]
    return values, 1 / (1 + np.exp(4 - 2 * values[:, 0] - 2 * values[:, 1]))


def test_features_that_go_together_are_drawn_together() -> None:
    """Rank correlation of 5,000 draws within 0.05 of the rows'; without it about 0."""
    values, scores = make_rows(5000, 3)
    ranks = JointRanks(describe_joint(make_columns(3), values, scores, seed=1))
    chance = random.Random(1)
    drawn = np.array([ranks.draw(chance) for _ in range(5000)])

    wanted = np.corrcoef(values.argsort(axis=0).argsort(axis=0).T)
    assert np.corrcoef(drawn.T) == pytest.approx(wanted, abs=0.05)


@pytest.mark.parametrize("features", [2, 29, 100, 1000])
def test_size_is_bounded(features: int) -> None:
    """Some 10,000 numbers, whatever the number of features; each of many rows."""
    values, scores = make_rows(600, features)
    joint = describe_joint(make_columns(features), values, scores, seed=1)

    ranks = sum(len(feature) for cell in joint.cells for feature in cell.ranks)
    assert ranks + sum(map(len, joint.mixing)) <= 10_000
    assert all(cell.share >= MIN_CELL_ROWS / 600 - 1e-6 for cell in joint.cells)


def test_missing_values_constants_and_strange_codes_have_ranks() -> None:
    """Columns without a spread, all missing, and codes outside of a category."""
    columns = [
        Column(name="constant", type="number"),
        Column(name="empty", type="number", nullable=True),
        Column(name="shop", type="category", categories=("a", "b")),
    ]
    chance = np.random.default_rng(2)
    codes = chance.integers(-1, 3, 400).astype(float)
    rows = np.column_stack([np.ones(400), np.full(400, np.nan), codes])
    joint = describe_joint(columns, rows, chance.random(400), seed=1)

    assert all(0 <= rank <= 1 for cell in joint.cells for row in cell.ranks for rank in row)
    assert sum(cell.share for cell in joint.cells) == pytest.approx(1)
