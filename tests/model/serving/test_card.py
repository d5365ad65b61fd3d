"""A card that is missing, damaged or foreign is refused in one sentence."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from model.registry.card_file import encode_card, hash_card, number_card
from model.serving.card import CARD_FILE, Card, load_card
from model.serving.errors import ModelError


def write(card: Card, folder: Path) -> Path:
    target = folder / card.version
    target.mkdir()
    (target / CARD_FILE).write_bytes(encode_card(card))
    return target


def test_a_card_comes_back_as_it_was_written(card: Card, tmp_path: Path) -> None:
    named = number_card(card, 3)

    assert load_card(write(named, tmp_path)) == named


def test_the_version_is_a_number_and_the_hash_of_the_content(card: Card) -> None:
    assert number_card(card, 3).version == f"3-{hash_card(card)}"


def test_the_content_hash_does_not_depend_on_the_version(card: Card) -> None:
    assert hash_card(number_card(card, 3)) == hash_card(number_card(card, 4))


DAMAGES: dict[str, tuple[Callable[[bytes], bytes], str]] = {
    "empty": (lambda data: b"", "is not a model card"),
    "cut off": (lambda data: data[: len(data) // 2], "is not a model card"),
    "not text": (lambda data: b"\xff\xfe" + data, "is not a model card"),
    "other JSON": (lambda data: b'{"a": 1}', "is not a model card"),
    "unknown key": (lambda data: data.replace(b'"seed"', b'"sead"'), "unknown field `sead`"),
    "wrong type": (lambda data: data.replace(b'"seed": 0', b'"seed": "0"'), "Expected `int`"),
    "other threshold": (
        lambda data: data.replace(b'"threshold": 0.5', b'"threshold": 0.6'),
        "was changed after it was published",
    ),
    "other schema": (
        lambda data: data.replace(b'"schema": 1', b'"schema": 99'),
        "has schema 99, this program reads schema 1",
    ),
}


@pytest.mark.parametrize(("damage", "sentence"), DAMAGES.values(), ids=DAMAGES.keys())
def test_a_damaged_card_is_refused(
    card: Card, tmp_path: Path, damage: Callable[[bytes], bytes], sentence: str
) -> None:
    folder = write(number_card(card, 1), tmp_path)
    path = folder / CARD_FILE
    path.write_bytes(damage(path.read_bytes()))

    with pytest.raises(ModelError, match=sentence) as caught:
        load_card(folder)

    assert str(path) in str(caught.value)


def test_a_missing_card_is_said_with_the_command_that_makes_one(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"no model card can be read .*python -m model train"):
        load_card(tmp_path / "1-00000000")


def test_a_card_in_another_versions_folder_is_refused(card: Card, tmp_path: Path) -> None:
    folder = write(number_card(card, 1), tmp_path)
    foreign = folder.rename(tmp_path / "2-00000000")

    with pytest.raises(ModelError, match="not to 2-00000000"):
        load_card(foreign)
