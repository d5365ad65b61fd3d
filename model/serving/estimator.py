"""How a scikit-learn model is asked: the card's rows as what it was fitted on, one thread."""

from __future__ import annotations

import importlib
from collections.abc import Sequence
from typing import Any, Final, Protocol

import numpy as np
import numpy.typing as npt
from joblib import parallel_config

from model.serving.card import FeatureType, RowsAs

Floats = npt.NDArray[np.float64]


class Described(Protocol):
    """What must be known of a column: a `Feature` of the card, or a dataset's `Column`."""

    @property
    def name(self) -> str: ...
    @property
    def type(self) -> FeatureType: ...
    @property
    def categories(self) -> tuple[str, ...] | None: ...
    @property
    def nullable(self) -> bool: ...


class Estimator:
    """A fitted model and how it takes its rows."""

    def __init__(self, model: Any, columns: Sequence[Described], rows_as: RowsAs) -> None:
        self._model = model
        self._columns = tuple(columns)
        self._arranged = _ARRANGED[rows_as]
        if rows_as == "table":
            importlib.import_module("pandas")  # Now, not with the first request.

    def probabilities(self, features: Floats) -> Floats:
        """`predict_proba` of fraud, shape (n,), for rows of the columns (n, columns).

        Whatever `n_jobs` the model brings, it takes one thread: the workers are the parallelism.
        """
        rows = self._arranged(features, self._columns)
        with parallel_config(backend="sequential"):
            probability = self._model.predict_proba(rows)
        answer: Floats = np.asarray(probability, dtype=np.float64)[:, 1]
        return answer


def ways_of_asking(model: Any) -> tuple[RowsAs, ...]:
    """How the model may take its rows, likeliest first: by the names it was fitted with, if any.

    A model without names is given a table second: its first step may be anybody's own class.
    """
    named = hasattr(model, "feature_names_in_")
    return ("table",) if named else ("matrix", "table")


def joined(model: Any, scaler: Any | None) -> Any:
    """The model behind the scaler that was fitted apart from it."""
    if scaler is None:
        return model
    from sklearn.pipeline import make_pipeline

    if hasattr(model, "feature_names_in_") and hasattr(scaler, "set_output"):
        scaler = scaler.set_output(transform="pandas")
    return make_pipeline(scaler, model)


def _matrix(features: Floats, columns: Sequence[Described]) -> Any:
    """Numbers; a matrix of objects where there are texts."""
    if not any(column.type == "category" for column in columns):
        return features
    matrix = features.astype(object)
    for index, column in enumerate(columns):
        matrix[:, index] = _values(features[:, index], column)
    return matrix


def _table(features: Floats, columns: Sequence[Described]) -> Any:
    """A data frame with the types that pandas reads from a file."""
    import pandas as pd  # Half a second and 40 MB, which a matrix does not need.

    return pd.DataFrame(
        {column.name: _values(features[:, n], column) for n, column in enumerate(columns)}
    )


def _values(numbers: Floats, column: Described) -> Any:
    """Texts are never given as numbers: which stood for which only the model's maker knows."""
    if column.type == "category":
        return _worded(numbers, column.categories or ())
    if column.type == "boolean":
        return _worded(numbers, (False, True)) if column.nullable else numbers == 1.0
    if column.type == "integer" and not column.nullable:
        return numbers.astype(np.int64)
    return numbers


def _worded(numbers: Floats, words: Sequence[object]) -> Any:
    """The word of each index; NaN, as pandas reads a gap, where there is none."""
    missing = np.isnan(numbers)
    places = np.where(missing, len(words), numbers).astype(np.int64)
    return np.array([*words, np.nan], dtype=object)[places]


_ARRANGED: Final = {"matrix": _matrix, "table": _table}
