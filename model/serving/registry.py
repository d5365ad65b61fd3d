"""The folder of published models: a folder per version, and a text file that names the champion.

    models/champion              versions, one a line: the champion, then who was it before
    models/<version>/card.json   … and the files that the card names
    models/<version>/published.json   when (the only file that differs between equal trainings)

Read only: what writes is model/registry/writer.py. No symbolic links: Windows gives them to
administrators only.
"""

from __future__ import annotations

from pathlib import Path

import msgspec

from model.serving.card import CARD_FILE, Card, load_card
from model.serving.errors import ModelError

CHAMPION_FILE = "champion"
PUBLISHED_FILE = "published.json"


class Published(msgspec.Struct, frozen=True, kw_only=True):
    """When a version was trained and published, in Unix seconds, and how long its training took."""

    trained_at: float
    training_seconds: float


class Registry:
    """Reads the versions under `root`; the folder need not exist yet."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def versions(self) -> list[str]:
        """Names of the published versions, oldest number first."""
        if not self.root.is_dir():
            return []
        names = [path.parent.name for path in self.root.glob(f"*/{CARD_FILE}")]
        return sorted(
            (name for name in names if read_version_number(name)), key=read_version_number
        )

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

    def published(self, version: str) -> Published:
        """When the version was trained."""
        path = self.folder(version) / PUBLISHED_FILE
        try:
            return msgspec.json.decode(path.read_bytes(), type=Published)
        except (OSError, msgspec.DecodeError) as error:
            raise ModelError(f"{path} cannot be read: {error}") from error


def read_version_number(name: str) -> int:
    """The number that a version's name begins with; 0 where it is no version's name."""
    head, _, tail = name.partition("-")
    return int(head) if head.isascii() and head.isdigit() and len(tail) == 8 else 0
