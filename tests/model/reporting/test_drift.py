"""Drift of a table: the formulas and limits of the rules, the bins of the service."""

from __future__ import annotations

import math

import msgspec
import numpy as np
import pytest

from model.reporting.drift import LIMIT, SIGMAS, exceed_chance, measure_drift, population_stability
from model.serving.card import Card, Feature, Histogram
from prometheus.generator.thresholds import read_thresholds
from service.model_metadata import _convert_baseline
from telemetry.bin_counts import BinCounts
from tests.model.conftest import make_card
from tests.prometheus.rules.reference import psi

EDGES = (10.0, 20.0, 50.0)
SHARES = (0.25, 0.25, 0.4, 0.1)
ROWS = 1000


def card_of(feature: Feature) -> Card:
    card = make_card(feature, score_baseline=Histogram((0.1, 0.5), (0.8, 0.15, 0.05)))
    return msgspec.structs.replace(
        card, data=msgspec.structs.replace(card.data, training_rows=ROWS)
    )


def amount(**more: object) -> Feature:
    quantiles = (0.0, *range(2, 20, 2), 100.0)
    return Feature(
        name="amount",
        type="number",
        importance=1.0,
        quantiles=quantiles,
        baseline=Histogram(EDGES, SHARES),
        **more,  # type: ignore[arg-type]
    )


def test_limits_are_those_of_the_alerts() -> None:
    limits = read_thresholds().drift
    assert limits.psi["24h"] == LIMIT
    assert limits.sigmas == SIGMAS


@pytest.mark.parametrize(
    "counts",
    [(250, 250, 400, 100), (100, 100, 300, 500), (0, 500, 500, 0), (1000, 0, 0, 0)],
    ids=["none", "some", "empty bins", "one bin"],
)
def test_psi_is_that_of_the_rules(counts: tuple[int, ...]) -> None:
    """By the reference that the recorded values are held against."""
    live = [count / sum(counts) for count in counts]
    expected = psi(np.array(counts), np.array(SHARES), ROWS)
    assert population_stability(live, SHARES, sum(counts), ROWS) == pytest.approx(expected)


def test_what_chance_hardly_gives_is_a_quantile() -> None:
    """Of chi-squared, which the sum of squares of so many normal numbers follows."""
    freedom, draws = 3, np.random.default_rng(1).chisquare(3, 200_000)
    two_deviations = float(np.quantile(draws, 0.97725))
    assert exceed_chance(freedom, freedom, 2.0) == pytest.approx(two_deviations, rel=0.02)


def test_bins_are_those_that_the_service_counts_in() -> None:
    """Every value falls into the same one, at the edges and outside too."""
    values = np.array([-1.0, 0.0, 10.0, 10.1, 20.0, 50.0, 50.1, 100.0, 100.1, math.nan])
    feature = amount(nullable=True)
    counted = _convert_baseline(feature)
    _, drift = measure_drift(card_of(feature), values[:, None], np.zeros(len(values)))
    cells = memoryview(bytearray(8 * len(counted.bins()))).cast("d")
    counts = BinCounts(counted, {bin: cell for cell, bin in enumerate(counted.bins())})
    counts.add_all(cells, values)
    expected = {
        counted.range_of(bin): count / len(values)
        for bin, count in zip(counted.bins(), cells, strict=True)
    }
    assert {each.name: each.table for each in drift.bins} == pytest.approx(expected)


def test_moved_is_what_the_alert_says() -> None:
    """Nothing by chance alone, a shift of the mean, and the score for itself."""
    random = np.random.default_rng(3)
    same = random.choice([5.0, 15.0, 30.0, 70.0], size=5000, p=SHARES)
    moved = np.where(random.random(5000) < 0.3, 70.0, same)
    scores = random.choice([0.05, 0.3, 0.9], size=5000, p=(0.8, 0.15, 0.05))
    card = card_of(amount())
    assert [each.moved for each in measure_drift(card, same[:, None], scores)] == [False, False]
    assert [each.moved for each in measure_drift(card, moved[:, None], scores)] == [False, True]
    assert next(each.moved for each in measure_drift(card, same[:, None], scores + 0.5))


def test_categories_have_bins_of_their_own() -> None:
    feature = Feature(
        name="channel",
        type="category",
        categories=("web", "app"),
        baseline=Histogram(shares=(0.6, 0.4)),
    )
    rows = np.array([[0.0], [0.0], [1.0], [0.0]])
    _, drift = measure_drift(card_of(feature), rows, np.zeros(4))
    assert [(each.name, each.table) for each in drift.bins] == [("web", 0.75), ("app", 0.25)]
