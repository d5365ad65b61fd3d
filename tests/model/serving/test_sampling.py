"""Made-up transactions are valid, repeatable and spread like the training rows."""

from __future__ import annotations

import random

from model.serving.card import Card
from model.serving.features import TransactionReader
from model.serving.registry import Registry
from model.serving.sampling import sample_transaction
from model.serving.scorer import load_scorer


def test_every_sample_is_valid(registry: Registry) -> None:
    card = load_scorer(registry.root).card
    reader, chance = TransactionReader(card), random.Random(1)

    for _ in range(2000):
        reader.read(sample_transaction(card, chance))


def test_a_sample_has_every_type_of_feature(card: Card) -> None:
    reader, chance = TransactionReader(card), random.Random(1)
    samples = [sample_transaction(card, chance) for _ in range(500)]

    rows = [reader.read(sample) for sample in samples]

    assert all(row.row[1].is_integer() for row in rows)
    assert {sample["abroad"] for sample in samples} == {True, False}
    assert {sample["channel"] for sample in samples} == {"web", "app", "shop"}
    assert 0.4 < sum(sample["income"] is None for sample in samples) / len(samples) < 0.6


def test_the_same_seed_gives_the_same_transactions(card: Card) -> None:
    first, again = random.Random(5), random.Random(5)

    assert [sample_transaction(card, first) for _ in range(20)] == [
        sample_transaction(card, again) for _ in range(20)
    ]


def test_the_deciles_of_the_samples_are_those_of_the_training(registry: Registry) -> None:
    card = load_scorer(registry.root).card
    chance = random.Random(2)
    amounts = sorted(float(str(sample_transaction(card, chance)["amount"])) for _ in range(4000))

    for step in range(1, 10):
        share = sum(value <= card.features[0].quantiles[step] for value in amounts) / len(amounts)
        assert abs(share - step / 10) < 0.03
