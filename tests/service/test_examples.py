"""Transactions to try: each is scored as it is called, whatever the model takes."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from model.serving.card import Histogram
from model.serving.features import TransactionReader
from service.examples import find_examples
from tests.conftest import LocationRiskScorer


class Constant(LocationRiskScorer):
    """Says the same of everything."""

    def __init__(self, probability: float) -> None:
        super().__init__()
        self.probability = probability

    def score(self, rows: Sequence[Sequence[float]]) -> list[float]:
        return [self.probability] * len(rows)


def test_each_is_scored_as_it_is_called(scorer: LocationRiskScorer) -> None:
    examples = find_examples(scorer)
    read = TransactionReader(scorer.card).read
    scores = {name: scorer.score([read(one).row])[0] for name, one in examples.items()}
    assert list(scores) == ["usual", "suspicious", "fraud"]
    assert scores["usual"] < 0.3 <= scores["suspicious"] < 0.7
    assert scores["fraud"] == 1.0


def test_they_are_the_same_at_each_start(scorer: LocationRiskScorer) -> None:
    assert find_examples(scorer) == find_examples(scorer)


def test_name_that_the_model_never_gives_is_left_out() -> None:
    assert list(find_examples(Constant(0.0))) == ["usual"]
    assert list(find_examples(Constant(0.4))) == ["suspicious"]
    assert list(find_examples(Constant(0.9))) == ["fraud"]


def test_rare_fraud_is_searched_for(scorer: LocationRiskScorer) -> None:
    """Where hardly any row that is drawn is one: one field after the other goes to its worst."""

    def score(rows: Sequence[Sequence[float]]) -> list[float]:
        return [float(row[0] >= 50_000 and row[4] >= 1) * 0.6 + row[4] * 0.1 for row in rows]

    scorer.score = score  # type: ignore[method-assign]
    assert find_examples(scorer)["fraud"]["amount"] == 50_000


def test_categories_booleans_and_nulls_are_varied_too(scorer: LocationRiskScorer) -> None:
    """The card's last feature becomes a category, of which one is fraud."""
    *others, last = scorer.card.features
    words = msgspec.structs.replace(
        last,
        type="category",
        minimum=None,
        maximum=None,
        quantiles=(),
        categories=("home", "abroad"),
        nullable=True,
        baseline=Histogram(shares=(0.999, 0.001)),
    )
    scorer.card = msgspec.structs.replace(scorer.card, features=(*others, words))
    examples = find_examples(scorer)
    assert examples["fraud"]["location_risk"] == "abroad"
    assert examples["usual"]["location_risk"] == "home"
