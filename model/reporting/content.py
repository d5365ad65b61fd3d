"""What a report tells, before it is drawn."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import msgspec

from model.data.dataset import Floats
from model.registry.holdout_curves import HoldoutCurves, read_curves, wilson_interval
from model.reporting.drift import Drift, measure_drift
from model.serving.card import Card
from model.serving.registry import Registry
from model.serving.scorer import TableScorer


class TableDrift(msgspec.Struct, frozen=True):
    """The drift of a table, and how many of its rows each column kept out."""

    source: str
    rows: int
    refused: dict[str, int]
    drift: tuple[Drift, ...]


class SegmentRecall(msgspec.Struct, frozen=True):
    """Recall in a part of the holdout with its 95 % interval."""

    name: str
    rows: int
    frauds: int
    recall: float
    low: float
    high: float
    precision: float
    average_precision: float


class Report(msgspec.Struct, frozen=True):
    """All of it; `curves` is None for a version that was published without."""

    version: str
    published: str
    card: Card
    curves: HoldoutCurves | None
    segments: tuple[SegmentRecall, ...]
    against: TableDrift | None = None

    def as_json(self) -> dict[str, Any]:
        """Plain values."""
        content: dict[str, Any] = msgspec.to_builtins(self)
        return content


def build_report(registry: Registry, version: str, against: TableDrift | None) -> Report:
    """The report of a published version; a ModelError says what cannot be read."""
    card = registry.card(version)
    trained = datetime.fromtimestamp(registry.published(version).trained_at, UTC)
    return Report(
        version=version,
        published=f"{trained:%Y-%m-%d %H:%M} UTC",
        card=card,
        curves=read_curves(registry, version),
        segments=_judge_segments(card),
        against=against,
    )


def compare_table(
    scorer: TableScorer, source: str, rows: Floats, refused: dict[str, int]
) -> TableDrift:
    """How far the rows have moved; they are scored by the served file."""
    drift = measure_drift(scorer.card, rows, scorer.score_table(rows))
    return TableDrift(source, len(rows), refused, drift)


def _judge_segments(card: Card) -> tuple[SegmentRecall, ...]:
    return tuple(
        SegmentRecall(
            name,
            part.rows,
            part.frauds,
            part.recall,
            *wilson_interval(part.recall * part.frauds, part.frauds),
            part.precision,
            part.average_precision,
        )
        for name, part in card.segments.items()
    )
