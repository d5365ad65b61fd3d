"""The card for people holds what the card holds, and its pictures are there."""

from __future__ import annotations

import re

import msgspec
import pytest

from model.registry.model_card import MODEL_CARD_FILE, render_model_card
from model.registry.publication import Publication
from model.serving.card import Card
from model.serving.registry import Registry


def test_the_published_card_names_figures_bounds_and_features(
    trained: tuple[Registry, Publication],
) -> None:
    registry, publication = trained
    card = publication.card
    text = (registry.folder(card.version) / MODEL_CARD_FILE).read_text(encoding="utf-8")

    low, high = card.intervals["average_precision"]
    assert f"# Model {card.version}" in text
    assert f"{card.metrics.average_precision:.4f} [{low:.4f}, {high:.4f}]" in text
    assert all(f"`{feature.name}`" in text for feature in card.features)
    assert "| user_type=premium |" in text


def test_every_picture_is_a_png_beside_it(trained: tuple[Registry, Publication]) -> None:
    registry, publication = trained
    folder = registry.folder(publication.version)

    names = re.findall(r"\]\((\w+\.png)\)", (folder / MODEL_CARD_FILE).read_text(encoding="utf-8"))

    assert len(names) == 3
    for name in names:
        assert (folder / name).read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize("frauds", [10, 1000])
def test_few_frauds_are_said_as_a_limit(card: Card, frauds: int) -> None:
    metrics = msgspec.structs.replace(card.metrics, frauds=frauds)

    text = render_model_card(msgspec.structs.replace(card, metrics=metrics))

    assert ("the bounds are wide" in text) == (frauds < 200)


def test_a_bar_in_a_name_does_not_break_the_table(card: Card) -> None:
    odd = msgspec.structs.replace(card.features[0], name="a|b")

    text = render_model_card(msgspec.structs.replace(card, features=(odd,), value_band=None))

    assert "| `a\\|b` |" in text
