"""Writing into the folder of published models, whose layout is in model/serving/registry.py.

A version appears whole or not at all: it is written beside its place and renamed into it.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import msgspec

from model.registry.card_file import encode_card, hash_card, number_card
from model.serving.card import CARD_FILE, Card
from model.serving.errors import ModelError
from model.serving.registry import (
    CHAMPION_FILE,
    PUBLISHED_FILE,
    Published,
    Registry,
    read_version_number,
)

REMEMBERED_CHAMPIONS: Final = 20


class RegistryWriter(Registry):
    """A registry that versions can be published to, promoted in and removed from."""

    def name_card(self, card: Card) -> Card:
        """The card with its version: that of equal content if published, else the next number."""
        ending = "-" + hash_card(card)
        for name in self.versions():
            if name.endswith(ending):
                return msgspec.structs.replace(card, version=name)
        return number_card(card, max(map(read_version_number, self.versions()), default=0) + 1)

    def publish(self, card: Card, files: Path, published: Published) -> bool:
        """Publish a named card with the files of a folder; False where it was published before."""
        if card.version in self.versions():
            return False
        with self._stage() as staged:
            shutil.copytree(files, staged, dirs_exist_ok=True)
            (staged / CARD_FILE).write_bytes(encode_card(card))
            (staged / PUBLISHED_FILE).write_bytes(msgspec.json.encode(published) + b"\n")
            staged.chmod(0o755)  # Temporary folders are private; the service may be another user.
            staged.rename(self.root / card.version)
        return True

    def promote(self, version: str) -> None:
        """Make a published version the champion."""
        self.card(version)
        earlier = [name for name in self.champions() if name != version]
        self._write_champions([version, *earlier])

    def rollback(self) -> str:
        """Make the champion before this one champion again; its name."""
        current, *earlier = [self.champion(), *self.champions()[1:]]
        available = [name for name in earlier if name in self.versions()]
        if not available:
            raise ModelError(f"there is no earlier champion than {current} to go back to")
        self.card(available[0])
        self._write_champions(available)
        return available[0]

    def prune(self, keep: int) -> list[str]:
        """Remove the oldest versions beyond `keep`; champion and its predecessor always stay."""
        protected = set(self.champions()[:2])
        old = [name for name in self.versions()[: -keep or None] if name not in protected]
        for name in old:
            shutil.rmtree(self.root / name)
        return old

    @contextmanager
    def _stage(self) -> Iterator[Path]:
        self.root.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=self.root, prefix=".staging-") as folder:
            staged = Path(folder) / "version"
            staged.mkdir()
            yield staged

    def _write_champions(self, champions: list[str]) -> None:
        path = self.root / CHAMPION_FILE
        draft = path.with_name(f".{CHAMPION_FILE}-{os.getpid()}")
        draft.write_text("\n".join(champions[:REMEMBERED_CHAMPIONS]) + "\n", encoding="utf-8")
        draft.replace(path)
