"""The rows that reasons are told against: a sample of the rows that the model was made from."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import msgspec
import numpy as np
from numpy.typing import NDArray

from model.serving.errors import ModelError

BACKGROUND_FILE: Final = "background.json"
BACKGROUND_ROWS: Final = 100

Floats = NDArray[np.float64]


def sample_background(rows: Floats, seed: int) -> Floats:
    """BACKGROUND_ROWS of the rows (all where there are fewer), drawn without replacement."""
    size = min(BACKGROUND_ROWS, len(rows))
    return rows[np.sort(np.random.default_rng(seed).choice(len(rows), size, replace=False))]


def encode_background(rows: Floats) -> bytes:
    """A JSON list of rows; null stands for a value that is not known."""
    listed = [[None if np.isnan(value) else value for value in row] for row in rows.tolist()]
    return msgspec.json.encode(listed) + b"\n"


def read_background(path: Path, columns: int) -> Floats:
    """The rows of the file, shape (rows, columns); a ModelError names what is wrong."""
    try:
        listed = msgspec.json.decode(path.read_bytes(), type=list[list[float | None]])
    except (OSError, msgspec.DecodeError) as error:
        raise ModelError(f"{path} is not a background sample: {error}") from error
    if not listed or any(len(row) != columns for row in listed):
        raise ModelError(f"{path} must hold rows of {columns} numbers, one for each feature")
    return np.array(
        [[np.nan if value is None else value for value in row] for row in listed], dtype=np.float64
    )
