"""Random numbers that a seed makes the same in every process and every version of Python.

Only `Random.random()` promises that, so every draw is made of it.
"""

from __future__ import annotations

from collections.abc import Sequence
from random import Random
from statistics import NormalDist
from typing import Final, TypeVar

STANDARD_NORMAL: Final = NormalDist()

T = TypeVar("T")


def derive_random(seed: int, purpose: str) -> Random:
    """A generator for one purpose; another purpose of the same seed has other numbers."""
    # Seeding by text goes through SHA-512, not through hash(), which differs between processes.
    return Random(f"{seed}/{purpose}")


def choose(items: Sequence[T], random: Random) -> T:
    """One of the items, each as likely as any other."""
    return items[int(random.random() * len(items))]


def shuffle(items: Sequence[T], random: Random) -> list[T]:
    """The items in a random order."""
    keys = [random.random() for _ in items]
    return [item for _, item in sorted(zip(keys, items, strict=True), key=lambda pair: pair[0])]


def draw_standard_normal(random: Random) -> float:
    """A draw from the standard normal distribution, by its inverse."""
    # The inverse has no value at 0, which random() can be.
    return STANDARD_NORMAL.inv_cdf(max(random.random(), 2**-54))
