"""How the number of replicas went, and when each phase began."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from bench.scale.autoscaling.observations import Observation


@dataclass(frozen=True)
class Point:
    """From this moment on, in seconds since the load began."""

    at: float
    wanted: int
    ready: int


@dataclass(frozen=True)
class Mark:
    """The beginning of a phase."""

    at: float
    name: str


@dataclass(frozen=True)
class History:
    """In the order of time."""

    points: tuple[Point, ...]
    marks: tuple[Mark, ...]


def summarise(observations: Sequence[Observation], marks: Sequence[Mark]) -> History:
    """The observations at which something changed, and the last; the first mark is the load's."""
    if not marks or not observations:
        raise ValueError("a history wants observations and a phase")
    zero = marks[0].at
    points: list[Point] = []
    for one in observations:
        seen = (one.wanted, one.ready)
        if one is observations[-1] or not points or (points[-1].wanted, points[-1].ready) != seen:
            points.append(Point(round(one.at - zero, 1), *seen))
    return History(tuple(points), tuple(Mark(round(one.at - zero, 1), one.name) for one in marks))


def read_history(content: dict[str, Any]) -> History:
    """As `dataclasses.asdict` wrote it."""
    return History(
        tuple(Point(**one) for one in content["points"]),
        tuple(Mark(**one) for one in content["marks"]),
    )
