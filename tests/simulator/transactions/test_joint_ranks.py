"""The simulator draws features together just as the service does."""

from __future__ import annotations

import json
from random import Random
from typing import Literal

import msgspec
import pytest

from model.serving import joint_ranks as served
from model.serving.card import Cell, Feature, Histogram, JointDistribution
from model.serving.sampling import build_value
from simulator.target.joint_parser import read_joint
from simulator.target.model_info_parser import parse_model_info
from simulator.transactions.feature_distribution import build_value_of_rank
from simulator.transactions.joint_ranks import JointRanks

CELLS = (
    Cell(0.7, ((0.0, 0.3, 0.7), (0.0, 0.5, 1.0), (0.2, 0.4, 0.8))),
    Cell(0.3, ((0.7, 0.9, 1.0), (0.0, 0.5, 1.0), (0.0, 0.6, 1.0))),
)
MIXING = ((1.0,), (0.6, 0.8), (0.0, -0.6, 0.8))


@pytest.mark.parametrize("mixing", [MIXING, ()], ids=["correlated", "independent"])
def test_ranks_are_those_of_the_service(mixing: tuple[tuple[float, ...], ...]) -> None:
    """The two restate each other, which a change of one of them breaks."""
    joint = JointDistribution((0.0, 0.5, 1.0), CELLS, mixing)
    told = read_joint(json.loads(msgspec.json.encode(joint)), 3)
    assert told is not None
    ours, theirs = JointRanks(told), served.JointRanks(joint)
    random, same = Random(3), Random(3)

    assert [ours.draw(random) for _ in range(200)] == [theirs.draw(same) for _ in range(200)]


def test_each_rank_is_uniform_and_cells_stay_together() -> None:
    """20,000 draws: five standard errors; in the second cell the first rank is above 0.7."""
    ranks = served.JointRanks(JointDistribution((0.0, 0.5, 1.0), CELLS, MIXING))
    random, n = Random(1), 20_000
    rows = [ranks.draw(random) for _ in range(n)]

    for column in zip(*rows, strict=True):
        for step in range(1, 10):
            share = sum(rank <= step / 10 for rank in column) / n
            assert share == pytest.approx(step / 10, abs=5 * 0.5 / n**0.5)
    assert sum(row[0] > 0.7 for row in rows) / n == pytest.approx(0.3, abs=5 * 0.46 / n**0.5)


@pytest.mark.parametrize(
    ("kind", "points"),
    [
        ("number", ((-30.5, 0.01), (-1.0, 0.5), (0.25, 0.9), (25.0, 1.0))),
        ("number", ((0.5, 0.001), (20.0, 0.5), (900.0, 1.0))),
        ("number", ((0.0, 0.7), (1.0, 0.9), (9.0, 1.0))),
        ("integer", ((18.0, 0.1), (40.0, 0.5), (90.0, 1.0))),
    ],
)
def test_values_are_those_of_the_service(
    kind: Literal["number", "integer"], points: tuple[tuple[float, float], ...]
) -> None:
    """Of the same ranks: those of a feature with missing values, whole or not."""
    missing = Histogram(missing=0.2)
    feature = Feature(
        name="x", type=kind, nullable=True, distribution=points, baseline=missing,
        minimum=-100.0, maximum=1000.0,
    )  # fmt: skip
    told = parse_model_info({"features": [json.loads(msgspec.json.encode(feature))]}).features[0]
    ours, theirs = build_value_of_rank(told), build_value(feature)
    ranks = [step / 500 for step in range(501)]

    assert [ours(rank) for rank in ranks] == [theirs(rank) for rank in ranks]
