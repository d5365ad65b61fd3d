"""The models that a measurement serves: a folder that is named, or one that is made for it."""

from __future__ import annotations

import argparse
from pathlib import Path

from tests.lab.models import train_model


def add_models_option(parser: argparse.ArgumentParser) -> None:
    """Let the command take --models; nothing is trained before it is needed."""
    parser.add_argument("--models", type=Path, help="folder of models; else one is trained")


def find_models(given: Path | None, folder: Path) -> Path:
    """What was given, else the default model, trained quickly into a folder below `folder`."""
    return given or train_model(folder / "models", "--rows", "40000")
