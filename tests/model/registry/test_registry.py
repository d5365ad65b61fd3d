"""Versions appear whole, the champion is one name in one file."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from model.registry.writer import RegistryWriter
from model.serving.card import Card
from model.serving.errors import ModelError
from model.serving.registry import CHAMPION_FILE, Published

WHEN = Published(trained_at=1.0, training_seconds=2.0)


@pytest.fixture
def empty(tmp_path: Path) -> RegistryWriter:
    return RegistryWriter(tmp_path / "models")


@pytest.fixture
def files(tmp_path: Path) -> Path:
    folder = tmp_path / "files"
    folder.mkdir()
    (folder / "model.onnx").write_bytes(b"model")
    return folder


def publish(registry: RegistryWriter, card: Card, files: Path, *seeds: int) -> list[str]:
    versions = []
    for seed in seeds:
        named = registry.name_card(msgspec.structs.replace(card, seed=seed))
        registry.publish(named, files, WHEN)
        versions.append(named.version)
    return versions


def test_numbers_count_up(empty: RegistryWriter, card: Card, files: Path) -> None:
    versions = publish(empty, card, files, *range(11))

    assert [version.split("-")[0] for version in versions] == [str(n) for n in range(1, 12)]
    assert empty.versions() == versions


def test_equal_content_is_not_published_twice(
    empty: RegistryWriter, card: Card, files: Path
) -> None:
    first, _, again = publish(empty, card, files, 1, 2, 1)

    assert again == first
    assert len(empty.versions()) == 2


def test_a_publication_that_fails_leaves_nothing(
    empty: RegistryWriter, card: Card, files: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(self: Path, target: Path) -> None:
        raise OSError("no space")

    monkeypatch.setattr(Path, "rename", fail)

    with pytest.raises(OSError, match="no space"):
        publish(empty, card, files, 1)

    assert list(empty.root.iterdir()) == []


def test_a_new_version_is_champion_only_when_promoted(
    empty: RegistryWriter, card: Card, files: Path
) -> None:
    first, second = publish(empty, card, files, 1, 2)
    empty.promote(first)

    assert (empty.champion(), second in empty.champions()) == (first, False)


def test_rollback_goes_back_one_by_one_and_then_says_that_there_is_none(
    empty: RegistryWriter, card: Card, files: Path
) -> None:
    versions = publish(empty, card, files, 1, 2, 3)
    for version in versions:
        empty.promote(version)

    assert [empty.rollback(), empty.rollback()] == [versions[1], versions[0]]
    with pytest.raises(ModelError, match=f"no earlier champion than {versions[0]}"):
        empty.rollback()
    assert empty.champion() == versions[0]


def test_an_unknown_version_is_said_with_those_there_are(
    empty: RegistryWriter, card: Card, files: Path
) -> None:
    [version] = publish(empty, card, files, 1)

    with pytest.raises(ModelError, match=f"9-12345678 is not in .*; published: {version}"):
        empty.promote("9-12345678")


@pytest.mark.parametrize("version", ["../models", "", ".", "champion"], ids=repr)
def test_a_version_is_never_taken_for_a_path(
    empty: RegistryWriter, card: Card, files: Path, version: str
) -> None:
    publish(empty, card, files, 1)

    with pytest.raises(ModelError, match="is not in"):
        empty.folder(version)


def test_pruning_keeps_the_newest_the_champion_and_the_one_before(
    empty: RegistryWriter, card: Card, files: Path
) -> None:
    versions = publish(empty, card, files, *range(6))
    empty.promote(versions[0])
    empty.promote(versions[1])

    removed = empty.prune(keep=2)

    assert removed == versions[2:4]
    assert empty.versions() == [*versions[:2], *versions[4:]]


def test_the_champion_file_is_plain_text(empty: RegistryWriter, card: Card, files: Path) -> None:
    first, second = publish(empty, card, files, 1, 2)
    empty.promote(first)
    empty.promote(second)

    text = (empty.root / CHAMPION_FILE).read_text(encoding="utf-8")

    assert text == f"{second}\n{first}\n"
