"""Values of options: text to a number or a range; argparse prints the sentence of a refusal."""

from __future__ import annotations

import math
from argparse import ArgumentTypeError
from collections.abc import Callable


def parse_integer(minimum: int) -> Callable[[str], int]:
    """A whole number that is not below `minimum`."""

    def convert(text: str) -> int:
        try:
            number = int(text)
        except ValueError:
            number = minimum - 1
        if number < minimum:
            raise ArgumentTypeError(f"must be a whole number of at least {minimum}, got {text!r}")
        return number

    return convert


def parse_positive(text: str) -> float:
    """A finite number above 0."""
    number = _parse_finite(text)
    if number is None or number <= 0:
        raise ArgumentTypeError(f"must be a number above 0, got {text!r}")
    return number


def parse_non_negative(text: str) -> float:
    """A finite number of at least 0."""
    number = _parse_finite(text)
    if number is None or number < 0:
        raise ArgumentTypeError(f"must be a number of at least 0, got {text!r}")
    return number


def parse_share(text: str) -> float:
    """A number from 0 to 1."""
    number = _parse_finite(text)
    if number is None or not 0 <= number <= 1:
        raise ArgumentTypeError(f"must be a share from 0 to 1, got {text!r}")
    return number


def parse_rows(text: str) -> tuple[int, int | None]:
    """A:B as in Python: from A up to before B, either may be missing."""
    first, colon, end = text.partition(":")
    usable = colon and all(part == "" or part.isdecimal() for part in (first, end))
    if not usable or (end and int(end) <= int(first or 0)):
        raise ArgumentTypeError(
            f"must be A:B, A: or :B with whole numbers, A below B, got {text!r}"
        )
    return int(first or 0), int(end) if end else None


def _parse_finite(text: str) -> float | None:
    try:
        number = float(text)
    except ValueError:
        return None
    return number if math.isfinite(number) else None
