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


class DescribedColumn(Protocol):
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

    def __init__(
        self,
        model: Any,
        columns: Sequence[DescribedColumn],
        rows_as: RowsAs,
        fraud_class: str | None = None,
    ) -> None:
        self._model = model
        self._columns = tuple(columns)
        classes = np.asarray(getattr(model, "classes_", (0, 1))).tolist()
        column = find_fraud_column(classes, fraud_class)
        self._fraud_column = 1 if column is None else column
        self._arrange = _ARRANGE[rows_as]
        if rows_as == "table":
            importlib.import_module("pandas")  # Now, not with the first request.

    def probabilities(self, features: Floats) -> Floats:
        """`predict_proba` of fraud, shape (n,), for rows of the columns (n, columns).

        Whatever `n_jobs` the model brings, it takes one thread: the workers are the parallelism.
        """
        rows = self._arrange(features, self._columns)
        with parallel_config(backend="sequential"):
            probability = self._model.predict_proba(rows)
        answer: Floats = np.asarray(probability, dtype=np.float64)[:, self._fraud_column]
        return answer


def find_fraud_column(classes: Sequence[object], fraud_class: str | None) -> int | None:
    """Which column of predict_proba is fraud: that of the label 1, or of `fraud_class` as text.

    By the label and not by the place: `classes_` need not ascend. None where it is not there.
    """
    if fraud_class is not None:
        texts = [str(label) for label in classes]
        return texts.index(fraud_class) if fraud_class in texts else None
    # True is 1 and False 0.
    numeric = all(isinstance(label, int | float) and label in (0, 1) for label in classes)
    return list(classes).index(1) if numeric and 1 in classes else None


def prepend_scaler(model: Any, scaler: Any | None) -> Any:
    """The model behind the scaler that was fitted apart from it."""
    if scaler is None:
        return model
    from sklearn.pipeline import make_pipeline

    if hasattr(model, "feature_names_in_") and hasattr(scaler, "set_output"):
        scaler = scaler.set_output(transform="pandas")
    return make_pipeline(scaler, model)


def _make_matrix(features: Floats, columns: Sequence[DescribedColumn]) -> Any:
    """Numbers; a matrix of objects where there are texts."""
    if not any(column.type == "category" for column in columns):
        return features
    matrix = features.astype(object)
    for index, column in enumerate(columns):
        matrix[:, index] = _decode_values(features[:, index], column)
    return matrix


def _make_table(features: Floats, columns: Sequence[DescribedColumn]) -> Any:
    """A data frame with the types that pandas reads from a file."""
    import pandas as pd  # Half a second and 40 MB, which a matrix does not need.

    return pd.DataFrame(
        {column.name: _decode_values(features[:, n], column) for n, column in enumerate(columns)}
    )


def _decode_values(numbers: Floats, column: DescribedColumn) -> Any:
    """Texts are never given as numbers: which stood for which only the model's maker knows."""
    if column.type == "category":
        return _look_up_words(numbers, column.categories or ())
    if column.type == "boolean":
        return _look_up_words(numbers, (False, True)) if column.nullable else numbers == 1.0
    if column.type == "integer" and not column.nullable:
        return numbers.astype(np.int64)
    return numbers


def _look_up_words(numbers: Floats, words: Sequence[object]) -> Any:
    """The word of each index; NaN, as pandas reads a gap, where there is none."""
    missing = np.isnan(numbers)
    places = np.where(missing, len(words), numbers).astype(np.int64)
    return np.array([*words, np.nan], dtype=object)[places]


_ARRANGE: Final = {"matrix": _make_matrix, "table": _make_table}
