"""How a setting is declared as a field, and how its text is read.

A reader refuses a value by a ValueError that ends the sentence 'NAME must be …'.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import field
from pathlib import Path
from typing import Any

# In characters; what is shorter can be guessed.
SHORTEST_SECRET = 16
# Nothing in it that ends an attribute of HTML or a source in a policy.
_ADDRESS = re.compile(r"https?://([\w.-]+|\[[0-9a-fA-F:.]+\])(:\d{1,5})?(/[\w./~-]*)?", re.ASCII)


def declare(default: str, meaning: str, read: Callable[[str], Any] = str, **details: Any) -> Any:
    """A field of Settings; `details` are fields of Setting."""
    declared = {"default": default, "meaning": meaning, "read": read, **details}
    return field(metadata={"setting": declared})


def whole_number(default: int, meaning: str, minimum: int, maximum: int | None = None) -> Any:
    """Inclusive bounds."""

    def read(text: str) -> int:
        try:
            number = int(text)
        except ValueError:
            raise ValueError("a whole number") from None
        if number < minimum:
            raise ValueError(f"at least {minimum}")
        if maximum is not None and number > maximum:
            raise ValueError(f"at most {maximum}")
        return number

    return declare(str(default), meaning, read, minimum=minimum, maximum=maximum)


def _one_of(words: tuple[str, ...], text: str) -> str:
    if text not in words:
        raise ValueError(f"one of {', '.join(words)}")
    return text


def choice(default: str, meaning: str, words: tuple[str, ...]) -> Any:
    """One of these words."""
    return declare(default, meaning, lambda text: _one_of(words, text), choices=words)


def switch(default: str, meaning: str, on: str, off: str) -> Any:
    """True for the word `on`."""
    words = (on, off)
    return declare(default, meaning, lambda text: _one_of(words, text) == on, choices=words)


def _split(text: str) -> tuple[str, ...]:
    """Separated by commas; blanks around each are no part of it."""
    return tuple(one.strip() for one in text.split(",") if one.strip())


def read_secrets(text: str) -> tuple[str, ...]:
    """Separated by commas."""
    found = _split(text)
    if any(len(one) < SHORTEST_SECRET for one in found):
        raise ValueError(f"made of secrets of at least {SHORTEST_SECRET} characters each")
    return found


def token(opens: str) -> Any:
    """Bearer tokens that open an endpoint."""
    meaning = (
        f"bearer token for {opens}, of at least {SHORTEST_SECRET} characters; several as above"
    )
    return declare("", meaning, read_secrets, secret=True)


def read_redis_url(text: str) -> str:
    """An address that the Redis client takes, or nothing."""
    if text:
        # Imported where it is used: most services have no Redis.
        from redis.connection import parse_url

        try:
            parse_url(text)  # type: ignore[no-untyped-call]
        except ValueError:
            # Without the cause, which quotes parts of the address.
            raise ValueError("an address like redis://host:6379/0") from None
    return text


def read_address(text: str) -> str:
    """An http address without a query, or nothing."""
    # It becomes a link, and a source in the page's policy.
    if text and not _ADDRESS.fullmatch(text):
        raise ValueError("an address like https://host:9090/path")
    return text.rstrip("/")


def read_rate(text: str) -> int | None:
    """A whole number; None for auto."""
    if text == "auto":
        return None
    if not (text.isascii() and text.isdigit()):
        raise ValueError("auto or a whole number")
    return int(text)


def read_optional_path(text: str) -> Path | None:
    """None for nothing."""
    return Path(text) if text else None
