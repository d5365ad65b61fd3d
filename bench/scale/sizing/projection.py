"""From what was measured to what was not: a straight line through it, and its error."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Line:
    """y = constant + slope · x."""

    constant: float
    slope: float

    def at(self, x: float) -> float:
        """The y there."""
        return self.constant + self.slope * x


def fit_line(points: Sequence[tuple[float, float]]) -> Line:
    """The least squares of the relative errors, so that the smallest point counts as the largest.

    Raises ValueError for fewer than two different x, or a y that is not above 0.
    """
    if len({x for x, _ in points}) < 2:
        raise ValueError(f"a line needs two different x, got {list(points)}")
    if any(y <= 0 for _, y in points):
        raise ValueError(f"relative errors need every y above 0, got {list(points)}")
    weights = [1 / y**2 for _, y in points]
    total = sum(weights)
    mean_x = sum(w * x for w, (x, _) in zip(weights, points, strict=True)) / total
    mean_y = sum(w * y for w, (_, y) in zip(weights, points, strict=True)) / total
    spread = sum(w * (x - mean_x) ** 2 for w, (x, _) in zip(weights, points, strict=True))
    slope = (
        sum(w * (x - mean_x) * (y - mean_y) for w, (x, y) in zip(weights, points, strict=True))
        / spread
    )
    return Line(mean_y - slope * mean_x, slope)


def deviation(points: Sequence[tuple[float, float]]) -> float:
    """How far the line through all points but the last misses the last, as a share of it; the same
    computation as the projection, where it can be checked."""
    *earlier, (x, y) = sorted(points)
    return fit_line(earlier).at(x) / y - 1


@dataclass(frozen=True)
class Projection:
    """A figure computed for one more size, and the deviation of the same for the largest known."""

    value: float
    deviation: float


def project(figures: Mapping[float, float], x: float) -> Projection:
    """The figures by what they grow with, carried on to another x."""
    points = sorted(figures.items())
    return Projection(fit_line(points).at(x), deviation(points))
