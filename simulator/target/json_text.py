"""JSON of a server that is not trusted: nothing that it sends may end the simulator."""

from __future__ import annotations

import json
import math
from typing import Any, TypeGuard


def parse_json(text: bytes) -> Any:
    """The document; ValueError for what is none, or is nested too deep to be read."""
    try:
        return json.loads(text)
    except RecursionError:
        raise ValueError("nested too deep") from None


def is_number(value: object) -> TypeGuard[int | float]:
    """True for a finite number that a float can hold; JSON allows greater ones, Python also NaN."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    try:
        return math.isfinite(value)
    except OverflowError:
        return False


def read_text(value: object) -> str | None:
    """The value where it is text."""
    return value if isinstance(value, str) else None


def read_share(value: object) -> float | None:
    """The value where it is a number from 0 to 1."""
    return float(value) if is_number(value) and 0 <= value <= 1 else None
