"""Made-up transactions are valid, repeatable and spread like the training rows."""

from __future__ import annotations

import random

import msgspec
import numpy as np
import pytest

from model.serving.card import Card
from model.serving.features import TransactionReader
from model.serving.registry import Registry
from model.serving.sampling import TransactionSampler
from model.serving.scorer import TableScorer, load_scorer


def test_every_sample_is_valid(registry: Registry) -> None:
    card = load_scorer(registry.root).card
    reader, chance = TransactionReader(card), random.Random(1)
    sampler = TransactionSampler(card)

    for _ in range(2000):
        reader.read(sampler.sample(chance))


def test_a_sample_has_every_type_of_feature(card: Card) -> None:
    reader, chance = TransactionReader(card), random.Random(1)
    sampler = TransactionSampler(card)
    samples = [sampler.sample(chance) for _ in range(500)]

    rows = [reader.read(sample) for sample in samples]

    assert all(row.row[1].is_integer() for row in rows)
    assert {sample["abroad"] for sample in samples} == {True, False}
    assert {sample["channel"] for sample in samples} == {"web", "app", "shop"}
    assert 0.4 < sum(sample["income"] is None for sample in samples) / len(samples) < 0.6


def test_the_same_seed_gives_the_same_transactions(card: Card) -> None:
    first, again = random.Random(5), random.Random(5)
    sampler = TransactionSampler(card)

    assert [sampler.sample(first) for _ in range(20)] == [sampler.sample(again) for _ in range(20)]


def test_the_deciles_of_the_samples_are_those_of_the_training(registry: Registry) -> None:
    card = load_scorer(registry.root).card
    chance = random.Random(2)
    sampler = TransactionSampler(card)
    amounts = sorted(float(str(sampler.sample(chance)["amount"])) for _ in range(4000))

    for step in range(1, 10):
        share = sum(value <= card.features[0].quantiles[step] for value in amounts) / len(amounts)
        assert abs(share - step / 10) < 0.03


def test_as_many_are_called_fraud_as_of_the_holdout(registry: Registry) -> None:
    """What a demo shows is steady traffic. Drawn one by one, four times as many are called fraud.

    4,000 of either: four standard errors of the difference, and half a point that the cells miss.
    """
    scorer = load_scorer(registry.root)
    holdout = scorer.card.metrics
    tolerance = 0.005 + 4 * (holdout.alert_rate * (1 / holdout.rows + 1 / 4000)) ** 0.5

    assert share_called_fraud(scorer, scorer.card) == pytest.approx(
        holdout.alert_rate, abs=tolerance
    )
    alone = msgspec.structs.replace(scorer.card, joint=None)
    assert share_called_fraud(scorer, alone) > 0.01 + holdout.alert_rate


def share_called_fraud(scorer: TableScorer, card: Card) -> float:
    """Of 4,000 transactions made from the card."""
    reader, chance, sampler = TransactionReader(card), random.Random(4), TransactionSampler(card)
    rows = np.array([reader.read(sampler.sample(chance)).row for _ in range(4000)])
    return float((scorer.score_table(rows) >= card.threshold).mean())
