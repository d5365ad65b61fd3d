"""Scores of a model made elsewhere by scikit-learn itself: of its sample, and of the probes that
its ONNX file must score alike. An allowed value that the model refuses is found here.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np

from model.data.dataset import Column, Dataset, Floats
from model.foreign_model import ForeignModel
from model.onnx.errors import OutOfTime
from model.onnx.inspection import find_thresholds
from model.onnx.probes import (
    RefusedValue,
    find_refused_value,
    find_steps,
    format_value,
    make_probes,
)
from model.serving.card import RowsAs
from model.serving.errors import ModelError, first_line
from model.serving.estimator import Estimator

# Runs a function within the time limit; the text names it for people.
Limited = Callable[[Callable[[], Any], str], Any]


@dataclass(frozen=True)
class Scored:
    """How the model takes its rows, and its scores of rows."""

    rows_as: RowsAs
    probability: Floats


def score_sample(foreign: ForeignModel, dataset: Dataset, limited: Limited) -> Scored:
    """By the first form of rows that the model takes; else the reason against the likeliest."""
    first = None
    for rows_as in _list_row_forms(foreign.whole):
        score = partial(predict, foreign, dataset.columns, rows_as, dataset.features)
        try:
            return Scored(rows_as, limited(score, f"predict_proba of {foreign.model_type}"))
        except OutOfTime:
            raise
        except Exception as error:  # A model of anybody's own raises anything.
            first = first or error
    assert first is not None
    raise ModelError(f"{foreign.path} cannot score the sample: {first_line(first)}") from first


def score_probes(
    foreign: ForeignModel, dataset: Dataset, scored: Scored, limited: Limited
) -> tuple[Dataset, Floats, Floats]:
    """Sample and probes together, with scikit-learn's scores; and the dataset, whose columns are
    held to the sample's range where the model refuses what is beyond."""
    while True:
        score = partial(_score_once, foreign, dataset, scored.rows_as)
        try:
            rows, probability = limited(score, f"predict_proba of {foreign.model_type}")
        except RefusedValue as refused:
            dataset = _hold_to_sample(foreign, dataset, refused)
            continue
        return (
            dataset,
            np.concatenate([dataset.features, rows]),
            np.concatenate([scored.probability, probability]),
        )


def predict(
    foreign: ForeignModel, columns: tuple[Column, ...], rows_as: RowsAs, features: Floats
) -> Floats:
    estimator = Estimator(foreign.whole, columns, rows_as, foreign.fraud_class)
    return estimator.probabilities(features)


def _list_row_forms(model: Any) -> tuple[RowsAs, ...]:
    """How the model may take its rows, likeliest first: by the names it was fitted with, if any.

    A model without names is given a table second: its first step may be anybody's own class.
    """
    named = hasattr(model, "feature_names_in_")
    return ("table",) if named else ("matrix", "table")


def _score_once(foreign: ForeignModel, dataset: Dataset, rows_as: RowsAs) -> tuple[Floats, Floats]:
    columns, features = dataset.columns, dataset.features
    ask = partial(predict, foreign, columns, rows_as)
    probes = make_probes(columns, features, find_thresholds(foreign.whole))
    try:
        rows = np.concatenate([probes, find_steps(columns, features, ask)])
        return rows, ask(rows)
    except Exception as error:  # A model of anybody's own raises anything.
        refused = find_refused_value(columns, features, ask)
        if refused is not None:
            raise refused from error
        raise ModelError(
            f"{foreign.path} refuses rows that a request may hold: {first_line(error)}"
        ) from error


def _hold_to_sample(foreign: ForeignModel, dataset: Dataset, refused: RefusedValue) -> Dataset:
    """With one column's bounds those of the sample, if that keeps the refused value out."""
    column = dataset.columns[refused.column]
    seen = dataset.features[:, refused.column]
    value = format_value(column, refused.value)
    low, high = float(np.nanmin(seen)), float(np.nanmax(seen))
    beyond = column.type in ("number", "integer") and not low <= refused.value <= high
    if not beyond or np.isnan(refused.value):
        raise ModelError(
            f"{foreign.path} refuses {column.name} = {value}, which a request may hold:"
            f" {refused.reason}; fit it so that it takes such a value (an encoder with"
            " handle_unknown='ignore', an imputer)"
        )
    columns = list(dataset.columns)
    columns[refused.column] = replace(column, minimum=low, maximum=high)
    note = (
        f"column '{column.name}' is held to the sample's {low:g} to {high:g}: the model refuses"
        f" {value} ({refused.reason})"
    )
    return replace(dataset, columns=tuple(columns), notes=(*dataset.notes, note))
