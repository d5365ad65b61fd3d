"""Writing `card.json`: its bytes and the version that they give it; reading: serving/card.py."""

from __future__ import annotations

import msgspec

from model.serving.card import Card, hash_content


def encode_card(card: Card) -> bytes:
    """The bytes of `card.json`: the same card gives the same bytes, 1 and 1.0 being the same."""
    card = msgspec.json.decode(msgspec.json.encode(card), type=Card)
    return msgspec.json.format(msgspec.json.encode(card, order="deterministic"), indent=2) + b"\n"


def hash_card(card: Card) -> str:
    """First 8 hexadecimal digits of the SHA-256 of the card without its version."""
    return hash_content(encode_card(card))


def number_card(card: Card, number: int) -> Card:
    """The same card, named by its number and its content."""
    return msgspec.structs.replace(card, version=f"{number}-{hash_card(card)}")
