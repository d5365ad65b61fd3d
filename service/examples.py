"""Transactions of any model that look usual, suspicious and fraudulent to it, to try it with."""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import Any

from model.serving.card import Card, Feature
from model.serving.features import TransactionReader
from model.serving.sampling import TransactionSampler
from model.serving.scorer import Scorer
from model.serving.vocabulary import FRAUD, LOW_RISK
from service.decisions import decide_class, decide_risk_level
from service.schemas import example_transaction

USUAL, SUSPICIOUS = "usual", "suspicious"
_DRAWN = 400
# Rounds of a search that changes one field at a time.
_ROUNDS = 2

Example = dict[str, Any]


def find_examples(scorer: Scorer) -> dict[str, Example]:
    """By name `usual`, `suspicious` and `fraud`, each scored so by the model; the same at each
    start. A name is left out where the model says it of nothing that was tried."""
    scored = sorted(_score_candidates(scorer), key=lambda pair: pair[0])
    card = scorer.card
    chosen = {
        USUAL: _find_usual(card, scored),
        SUSPICIOUS: _find_suspicious(card, scored),
        FRAUD: _find_fraud(card, scored),
    }
    return {name: example for name, example in chosen.items() if example is not None}


def _score_candidates(scorer: Scorer) -> Iterator[tuple[float, Example]]:
    """Probability and transaction: the medians, drawn ones, and what a search finds from there."""
    draw, sampler = random.Random(0), TransactionSampler(scorer.card)
    drawn = [example_transaction(scorer.card)]
    drawn += [sampler.sample(draw) for _ in range(_DRAWN)]
    scored = list(_score(scorer, drawn))
    yield from scored
    _, worst = max(scored, key=lambda pair: pair[0])
    for _ in range(_ROUNDS):
        tried = list(_score(scorer, list(_vary(worst, scorer.card.features))))
        yield from tried
        _, worst = max(tried, key=lambda pair: pair[0])


def _vary(example: Example, features: tuple[Feature, ...]) -> Iterator[Example]:
    """The same with one field at another typical value: a decile, a category, yes or no."""
    yield example
    for feature in features:
        values: tuple[object, ...] = feature.categories or feature.quantiles
        if feature.type == "boolean":
            values = (False, True)
        if feature.type == "integer":
            values = tuple(round(number) for number in feature.quantiles)
        for value in values:
            yield {**example, feature.name: value}


def _score(scorer: Scorer, examples: list[Example]) -> Iterator[tuple[float, Example]]:
    reader = TransactionReader(scorer.card)
    probabilities = scorer.score([reader.read(example).row for example in examples])
    return zip(probabilities, examples, strict=True)


def _find_usual(card: Card, scored: list[tuple[float, Example]]) -> Example | None:
    """The medians where they are of low risk, else what has the least."""
    medians = example_transaction(card)
    candidates = [pair for pair in scored if pair[1] == medians] + scored[:1]
    low = [one for p, one in candidates if decide_risk_level(p, card.risk_levels) == LOW_RISK]
    return low[0] if low else None


def _find_suspicious(card: Card, scored: list[tuple[float, Example]]) -> Example | None:
    """Nearly fraud, or called fraud with little certainty: nearest to the threshold."""
    doubtful = [
        (abs(probability - card.threshold), number)
        for number, (probability, _) in enumerate(scored)
        if card.risk_levels.medium <= probability < card.risk_levels.high
    ]
    return scored[min(doubtful)[1]][1] if doubtful else None


def _find_fraud(card: Card, scored: list[tuple[float, Example]]) -> Example | None:
    """What the model is surest of."""
    probability, example = scored[-1]
    return example if decide_class(probability, card.threshold) == FRAUD else None
