"""What is replayed: which file, which of its rows and columns, and how fast."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Replay:
    """The rows of `file` from `first` up to but not including `end`, counted from 0.

    `label_column`: the true classes; None: no labels are known. `time_column`: ascending seconds
    or dates; None: the rows have the load profile of the command line. `speed`: so many times as
    fast as it was.
    """

    file: Path
    label_column: str | None = None
    time_column: str | None = None
    speed: float = 1.0
    first: int = 0
    end: int | None = None
