"""Durations of the rules, at their real length or compressed for tests."""

from __future__ import annotations

import re
from dataclasses import dataclass

_DURATION = re.compile(r"(\d+)([smhd])")
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}


def parse_duration(text: str) -> int:
    """Seconds of one number and unit, such as 15m; ValueError names anything else."""
    found = _DURATION.fullmatch(text)
    if found is None:
        raise ValueError(f"a duration must be a number and s, m, h or d, such as 15m: {text!r}")
    return int(found[1]) * _SECONDS[found[2]]


@dataclass(frozen=True)
class Durations:
    """`durations("15m")` is that duration divided by `scale`, and at least one second.

    The names of recorded series keep the unscaled duration, so that alerts and dashboards are the
    same at every scale.
    """

    scale: int = 1

    def __call__(self, text: str) -> str:
        if self.scale == 1:
            return text
        return f"{max(1, round(parse_duration(text) / self.scale))}s"

    def scale_seconds(self, text: str) -> float:
        """The scaled duration as a number of seconds, for arithmetic inside an expression."""
        return parse_duration(text) / self.scale
