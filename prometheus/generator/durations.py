"""Durations of the rules, at their real length or compressed for tests."""

from __future__ import annotations

import re
from dataclasses import dataclass

_DURATION = re.compile(r"(\d+)([smhd])")
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}


def seconds(duration: str) -> int:
    """Length of one number and unit, such as 15m; ValueError names anything else."""
    found = _DURATION.fullmatch(duration)
    if found is None:
        raise ValueError(f"a duration must be a number and s, m, h or d, such as 15m: {duration!r}")
    return int(found[1]) * _SECONDS[found[2]]


@dataclass(frozen=True)
class Clock:
    """`clock("15m")` is that duration divided by `scale`, and at least one second.

    The names of recorded series keep the unscaled duration, so that alerts and dashboards are the
    same at every scale.
    """

    scale: int = 1

    def __call__(self, duration: str) -> str:
        if self.scale == 1:
            return duration
        return f"{max(1, round(seconds(duration) / self.scale))}s"

    def seconds(self, duration: str) -> float:
        """The scaled duration as a number, for arithmetic inside an expression."""
        return seconds(duration) / self.scale
