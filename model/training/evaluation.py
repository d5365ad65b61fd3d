"""A published model judged on rows of anybody's file, or on fresh synthetic ones."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np

from model.data import synthetic
from model.data.dataset import Column, Floats, Labels
from model.serving.card import Card, Feature, Metrics
from model.serving.errors import ModelError
from model.serving.scorer import TableScorer
from model.training.metrics import bootstrap_intervals, measure
from model.training.segments import Mask

if TYPE_CHECKING:
    from pandas import DataFrame

    from model.data.files import Reading


@dataclass(frozen=True)
class Rows:
    """Rows in the card's columns; `refused` others hold values that no request may hold."""

    source: str
    features: Floats
    target: Labels
    refused: dict[str, int]


@dataclass(frozen=True)
class Evaluation:
    """Figures with their 95 % bootstrap bounds."""

    version: str
    rows: Rows
    metrics: Metrics
    intervals: dict[str, tuple[float, float]]

    def as_json(self) -> dict[str, Any]:
        """One flat object: the figures by name, and the bounds under `intervals`."""
        figures: dict[str, Any] = msgspec.to_builtins(self.metrics)
        return {
            "version": self.version,
            "data": self.rows.source,
            **figures,
            "refused_rows": self.rows.refused,
            "intervals": self.intervals,
        }


def evaluate_scorer(scorer: TableScorer, rows: Rows, seed: int) -> Evaluation:
    """Judge the served file itself, at the card's threshold."""
    scores, threshold = scorer.score_table(rows.features), scorer.card.threshold
    return Evaluation(
        version=scorer.card.version,
        rows=rows,
        metrics=measure(rows.target, scores, threshold),
        intervals=bootstrap_intervals(rows.target, scores, threshold, seed),
    )


def make_synthetic_rows(card: Card, rows: int, seed: int) -> Rows:
    """Fresh synthetic rows; a ModelError where the card's features are others."""
    if tuple(feature.name for feature in card.features) != synthetic.FEATURES:
        raise ModelError(
            f"version {card.version} has other features than the synthetic rows;"
            " give its own by --data FILE --target COLUMN"
        )
    data = synthetic.generate(rows, seed)
    return Rows(f"synthetic transactions, seed {seed}", data.features, data.fraud, {})


def read_file_rows(
    card: Card,
    path: Path,
    target: str,
    positive: str | None = None,
    reading: Reading | None = None,
) -> Rows:
    """A file's rows, those left out that a request could not hold."""
    from model.data.files import Reading, read_table, require_columns
    from model.data.labels import read_labels

    frame = read_table(path, reading or Reading()).frame
    require_columns(frame, [target, *(feature.name for feature in card.features)])
    frame, labels = read_labels(frame, target, positive, [])
    features, kept, refused = _encode(card, frame)
    if np.unique(labels[kept]).size < 2:
        raise ModelError(
            f"of the rows that a request may hold, none has one of the classes: {refused}"
        )
    return Rows(path.name, features[kept], labels[kept], refused)


def read_unlabelled_rows(
    card: Card, path: Path, reading: Reading | None = None
) -> tuple[Floats, dict[str, int]]:
    """The same of a file whose labels are not known: the rows, and how many each column refused."""
    from model.data.files import Reading, read_table, require_columns

    frame = read_table(path, reading or Reading()).frame
    require_columns(frame, [feature.name for feature in card.features])
    features, kept, refused = _encode(card, frame)
    if not kept.any():
        raise ModelError(f"{path} has no row that a request may hold: {refused}")
    return features[kept], refused


def _encode(card: Card, frame: DataFrame) -> tuple[Floats, Mask, dict[str, int]]:
    """All rows in the card's columns, which of them a request may hold, and what is refused."""
    from model.data.schema import encode_column, find_allowed

    columns = [_make_column(feature) for feature in card.features]
    features = np.column_stack([encode_column(column, frame[column.name]) for column in columns])
    fits = [find_allowed(column, features[:, index]) for index, column in enumerate(columns)]
    refused = {
        column.name: int(np.sum(~fit))
        for column, fit in zip(columns, fits, strict=True)
        if not fit.all()
    }
    return features, np.all(fits, axis=0), refused


def _make_column(feature: Feature) -> Column:
    return Column(
        name=feature.name,
        type=feature.type,
        minimum=feature.minimum,
        maximum=feature.maximum,
        categories=feature.categories,
        nullable=feature.nullable,
    )
