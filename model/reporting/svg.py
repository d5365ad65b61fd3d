"""Charts as SVG: axes, lines, bands, points, bars; colours come from the page's style sheet."""

from __future__ import annotations

import html
import math
from collections.abc import Sequence
from dataclasses import dataclass, field

WIDTH, HEIGHT = 460, 320
_LEFT, _RIGHT, _TOP, _BOTTOM = 52, 12, 10, 44


@dataclass(frozen=True)
class Axis:
    """From `low` to `high`, with a mark at each of `ticks`."""

    title: str
    low: float
    high: float
    ticks: Sequence[float]
    logarithmic: bool = False

    def place(self, value: float) -> float:
        """0 at the low end, 1 at the high end; what lies outside is put on the end."""
        if self.logarithmic:
            span = math.log(self.high / self.low)
            share = math.log(max(value, self.low) / self.low) / span
        else:
            share = (value - self.low) / (self.high - self.low)
        return min(1.0, max(0.0, share))


@dataclass
class Chart:
    """Elements in the order in which they are drawn."""

    title: str
    x: Axis
    y: Axis
    _drawn: list[str] = field(default_factory=list)

    def line(self, xs: Sequence[float], ys: Sequence[float], kind: str) -> None:
        """A line through the points; `kind` is its class in the style sheet."""
        self._drawn.append(f'<polyline class="{kind}" points="{self._points(xs, ys)}"/>')

    def band(self, xs: Sequence[float], lows: Sequence[float], highs: Sequence[float]) -> None:
        """The area between two lines."""
        there, back = self._points(xs, lows), self._points(xs[::-1], highs[::-1])
        self._drawn.append(f'<polygon class="band" points="{there} {back}"/>')

    def point(self, x: float, y: float, kind: str = "point", text: str = "") -> None:
        """A dot; its text is shown to whoever points at it."""
        (left, top) = self._at(x, y)
        told = f"<title>{html.escape(text)}</title>" if text else ""
        self._drawn.append(f'<circle class="{kind}" cx="{left}" cy="{top}" r="4">{told}</circle>')

    def interval(self, x: float, low: float, high: float) -> None:
        """A vertical stroke."""
        (left, bottom), (_, top) = self._at(x, low), self._at(x, high)
        self._drawn.append(
            f'<line class="interval" x1="{left}" x2="{left}" y1="{bottom}" y2="{top}"/>'
        )

    def render(self) -> str:
        """The SVG element."""
        label = html.escape(self.title)
        head = f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{label}">'
        return "".join([head, *self._axes(), *self._drawn, "</svg>"])

    def _axes(self) -> list[str]:
        bottom, right = HEIGHT - _BOTTOM, WIDTH - _RIGHT
        turned = f"translate(12 {(_TOP + bottom) / 2}) rotate(-90)"
        drawn = [
            f'<text class="title" x="{(_LEFT + right) / 2}" y="{HEIGHT - 6}">{self.x.title}</text>',
            f'<text class="title" transform="{turned}">{self.y.title}</text>',
        ]
        for tick in self.x.ticks:
            left, _ = self._at(tick, self.y.low)
            drawn.append(f'<line class="grid" x1="{left}" x2="{left}" y1="{_TOP}" y2="{bottom}"/>')
            drawn.append(f'<text class="tick x" x="{left}" y="{bottom + 16}">{tick:g}</text>')
        for tick in self.y.ticks:
            _, top = self._at(self.x.low, tick)
            drawn.append(f'<line class="grid" x1="{_LEFT}" x2="{right}" y1="{top}" y2="{top}"/>')
            drawn.append(f'<text class="tick y" x="{_LEFT - 6}" y="{top + 4}">{tick:g}</text>')
        return drawn

    def _at(self, x: float, y: float) -> tuple[float, float]:
        across, down = WIDTH - _LEFT - _RIGHT, HEIGHT - _TOP - _BOTTOM
        left = _LEFT + across * self.x.place(x)
        return round(left, 1), round(HEIGHT - _BOTTOM - down * self.y.place(y), 1)

    def _points(self, xs: Sequence[float], ys: Sequence[float]) -> str:
        places = (self._at(x, y) for x, y in zip(xs, ys, strict=True))
        return " ".join(f"{left},{top}" for left, top in places)


def bar(start: float, end: float, kind: str, mark: float | None = None) -> str:
    """A lying bar between two shares of its track, and a mark on it."""
    left, width = 100 * max(0.0, start), 100 * max(0.0, min(1.0, end) - max(0.0, start))
    parts = [
        '<svg class="bar" viewBox="0 0 100 10" preserveAspectRatio="none" aria-hidden="true">',
        '<rect class="track" width="100" height="10"/>',
        f'<rect class="{kind}" x="{left:.2f}" width="{max(width, 0.5):.2f}" height="10"/>',
    ]
    if mark is not None:
        parts.append(f'<rect class="mark" x="{100 * mark:.2f}" width="1" height="10"/>')
    return "".join([*parts, "</svg>"])
