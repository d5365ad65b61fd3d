"""What whoever started the service says about what watches it: still being made, there, or missing.

The service holds no state of it and starts nothing: it reads a small file that the start writes
(`stack/native/progress_file.py`), where a setting names one.
"""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import msgspec

_MOST_BYTES = 10_000


class Progress(msgspec.Struct, frozen=True):
    """`lines`: the work of now, or the reason why nothing watches, for people."""

    state: Literal["building", "watched", "unwatched"]
    lines: list[str] = []


def read_progress(file: Path | None) -> Progress | None:
    """What the file says at this moment; None without one, or where it cannot be read."""
    try:
        return msgspec.json.decode(_read(file), type=Progress) if file else None
    except (OSError, msgspec.MsgspecError):
        return None


def _read(file: Path) -> bytes:
    with file.open("rb") as opened:
        return opened.read(_MOST_BYTES)
