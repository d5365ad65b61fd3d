"""Version slots: a closed set of label values that stands for the versions of a model.

A version has the same slot for ever: its number modulo how many there are. So what is counted in a
slot is of one version, over promotions and rollbacks, and neighbours are told apart.
Two versions whose numbers differ by a multiple of that share one: while both are served, the rules
judge neither.
"""

from __future__ import annotations

from typing import Final

from model.serving.registry import read_version_number

VERSION_SLOTS: Final = tuple("01234567")


def find_version_slot(version: str) -> str:
    """The slot of a published version; that of 0 for a name without a number."""
    return VERSION_SLOTS[read_version_number(version) % len(VERSION_SLOTS)]
