"""Plausible transactions of any card, for traffic made by the service itself."""

from __future__ import annotations

import random

from model.serving.card import Card, Feature


def sample_transaction(card: Card, random: random.Random) -> dict[str, object]:
    """A valid transaction; each field is drawn on its own from the distribution of the training.

    Numbers fall evenly between two neighbouring deciles, categories by their share.
    """
    return {feature.name: _draw_value(feature, random) for feature in card.features}


def _draw_value(feature: Feature, random: random.Random) -> object:
    if random.random() < feature.baseline.missing:
        return None
    if feature.type == "boolean":
        return random.choices((False, True), feature.baseline.shares)[0]
    if feature.type == "category":
        return random.choices(feature.categories or (), feature.baseline.shares)[0]
    number = _draw_number(feature, random)
    return round(number) if feature.type == "integer" else number


def _draw_number(feature: Feature, random: random.Random) -> float:
    """Between two neighbouring deciles, to the cent where the span is of that size."""
    decile = random.randrange(len(feature.quantiles) - 1)
    low, high = feature.quantiles[decile : decile + 2]
    number = random.uniform(low, high)
    rounded = round(number, 2 if high - low > 1 else 6)
    return min(max(rounded, low), high)
