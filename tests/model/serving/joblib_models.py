"""Models that cannot be converted, and registries that hold one as joblib."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import joblib
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline

from model.registry.card_file import number_card
from model.registry.writer import RegistryWriter
from model.serving.card import MODEL_FILE, hash_file
from model.serving.registry import Published
from tests.model.conftest import make_card, number
from tests.model.elsewhere import FRAME, NUMBERS, Derived

ROOT = Path(__file__).parents[3]
ALL = [*NUMBERS, "channel", "income"]


def own_step() -> Any:
    return make_pipeline(Derived(), LogisticRegression()).fit(FRAME[ALL], FRAME.fraud)


def publish_joblib(tmp_path: Path, item: object, **changes: object) -> RegistryWriter:
    """A registry whose champion's joblib file holds `item`."""
    files = tmp_path / "files"
    files.mkdir()
    joblib.dump(item, files / MODEL_FILE)
    hashes = {MODEL_FILE: hash_file(files / MODEL_FILE)}
    values = {"files": hashes, "format": "joblib", "rows_as": "matrix"} | changes
    card = number_card(make_card(number("amount", 0, 100), number("items", 0, 10), **values), 1)
    registry = RegistryWriter(tmp_path / "models")
    registry.publish(card, files, Published(trained_at=0, training_seconds=0))
    registry.promote(card.version)
    return registry
