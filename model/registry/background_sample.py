"""Drawing and writing the rows that explanations compare a transaction with."""

from __future__ import annotations

from typing import Final

import msgspec
import numpy as np
from numpy.typing import NDArray

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
