"""The background of explanations: a sample of the rows that the model was made from."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import msgspec
import numpy as np
from numpy.typing import NDArray

from model.serving.card import Card, read_checked
from model.serving.errors import ModelError

BACKGROUND_FILE: Final = "background.json"

Floats = NDArray[np.float64]


def read_background(folder: Path, card: Card) -> Floats:
    """The rows of a version, shape (rows, columns); a ModelError names what is wrong."""
    path, columns = folder / BACKGROUND_FILE, len(card.features)
    try:
        data = read_checked(folder, card, BACKGROUND_FILE)
        listed = msgspec.json.decode(data, type=list[list[float | None]])
    except msgspec.DecodeError as error:
        raise ModelError(f"{path} is not a background sample: {error}") from error
    if not listed or any(len(row) != columns for row in listed):
        raise ModelError(f"{path} must hold rows of {columns} numbers, one for each feature")
    return np.array(
        [[np.nan if value is None else value for value in row] for row in listed], dtype=np.float64
    )
