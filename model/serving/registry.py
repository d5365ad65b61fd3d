"""The folder of published models: a folder per version, and a text file that names the champion.

    models/champion              versions, one a line: the champion, then who was it before
    models/<version>/card.json   … and the files that the card names
    models/<version>/published.json   when (the only file that differs between equal trainings)

A version appears whole or not at all: it is written beside its place and renamed into it. No
symbolic links: Windows gives them to administrators only.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec

from model.serving.card import CARD_FILE, Card, content_hash, encode_card, load_card, with_version
from model.serving.errors import ModelError

CHAMPION_FILE = "champion"
PUBLISHED_FILE = "published.json"
REMEMBERED_CHAMPIONS = 20


class Published(msgspec.Struct, frozen=True, kw_only=True):
    """When a version was trained and published, in Unix seconds, and how long its training took."""

    trained_at: float
    training_seconds: float


class Registry:
    """The versions under `root`; the folder need not exist yet."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def versions(self) -> list[str]:
        """Names of the published versions, oldest number first."""
        if not self.root.is_dir():
            return []
        names = [path.parent.name for path in self.root.glob(f"*/{CARD_FILE}")]
        return sorted((name for name in names if _number(name)), key=_number)

    def champions(self) -> list[str]:
        """The champion, then the earlier ones, latest first; empty before the first promotion."""
        try:
            lines = (self.root / CHAMPION_FILE).read_text(encoding="utf-8").splitlines()
        except FileNotFoundError:
            return []
        return [line.strip() for line in lines if line.strip()]

    def champion(self) -> str:
        """The version that is served; a ModelError where there is none."""
        champions = self.champions()
        if not champions:
            raise ModelError(
                f"no model is published in {self.root}; publish one with 'python -m model train'"
            )
        return champions[0]

    def folder(self, version: str) -> Path:
        """Where a version lies; a ModelError names the versions there are."""
        if version not in self.versions():
            known = ", ".join(self.versions()) or "none"
            raise ModelError(f"version {version} is not in {self.root}; published: {known}")
        return self.root / version

    def card(self, version: str) -> Card:
        """The checked card of a version."""
        return load_card(self.folder(version))

    def named(self, card: Card) -> Card:
        """The card with its version: that of equal content if published, else the next number."""
        ending = "-" + content_hash(card)
        for name in self.versions():
            if name.endswith(ending):
                return msgspec.structs.replace(card, version=name)
        return with_version(card, max(map(_number, self.versions()), default=0) + 1)

    def publish(self, card: Card, files: Path, published: Published) -> bool:
        """Publish a named card with the files of a folder; False where it was published before."""
        if card.version in self.versions():
            return False
        with self._staging() as staged:
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

    def published(self, version: str) -> Published:
        """When the version was trained."""
        path = self.folder(version) / PUBLISHED_FILE
        try:
            return msgspec.json.decode(path.read_bytes(), type=Published)
        except (OSError, msgspec.DecodeError) as error:
            raise ModelError(f"{path} cannot be read: {error}") from error

    @contextmanager
    def _staging(self) -> Iterator[Path]:
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


def _number(name: str) -> int:
    """The number that a version's name begins with; 0 where it is no version's name."""
    head, _, tail = name.partition("-")
    return int(head) if head.isascii() and head.isdigit() and len(tail) == 8 else 0
