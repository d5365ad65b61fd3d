"""Why a transaction is refused: one sentence for the caller."""

from __future__ import annotations

import json
from typing import Final, Literal

ECHO_LENGTH: Final = 60

ProblemType = Literal[
    "missing_field", "unknown_field", "wrong_type", "out_of_range", "unknown_category"
]


class InvalidTransaction(ValueError):
    """A transaction that does not follow the card; `message` is one sentence for the caller."""

    def __init__(self, type: ProblemType, field: str | None, value: object, expected: str) -> None:
        self.type = type
        self.field = field
        self.value = value
        self.expected = expected
        self.message = _explain_problem(type, field, value, expected)
        super().__init__(self.message)


def list_words(words: tuple[str, ...]) -> str:
    """At most ten of the words, each quoted; a caller needs an example, not the whole list."""
    shown = ", ".join(f'"{word}"' for word in words[:10])
    return f"one of {shown}" + (f" … ({len(words)} in all)" if len(words) > 10 else "")


def _explain_problem(type: ProblemType, field: str | None, value: object, expected: str) -> str:
    if type == "missing_field":
        return f"{field} is missing; it must be {expected}"
    if type == "unknown_field":
        return f"{_shorten(str(field))} is not a field of this model; its fields are {expected}"
    subject = "a transaction" if field is None else field
    return f"{subject} must be {expected}, got {_echo(value)}"


def _echo(value: object) -> str:
    """The value as JSON, cut, with its kind where that is not plain to see."""
    if value is None or isinstance(value, bool):
        return json.dumps(value)
    if isinstance(value, int):
        # Python refuses to write out integers of thousands of digits.
        return str(value) if value.bit_length() < 256 else "an integer of more than 70 digits"
    if isinstance(value, float):
        return json.dumps(value)
    if isinstance(value, str):
        return f"{_shorten(json.dumps(value[: ECHO_LENGTH + 1], ensure_ascii=False))} (a string)"
    if isinstance(value, dict | list):
        return f"{'an object' if isinstance(value, dict) else 'a list'} of {len(value)} items"
    return f"a {type(value).__name__}"


def _shorten(text: str) -> str:
    return text if len(text) <= ECHO_LENGTH else text[: ECHO_LENGTH - 1] + "…"
