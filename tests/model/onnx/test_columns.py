"""Preparations of columns are scikit-learn's to the last bit, gaps and unknown values too."""

from __future__ import annotations

from typing import Any

import numpy as np
import onnxruntime as ort
import pandas as pd
import pytest
from sklearn.compose import ColumnTransformer
from sklearn.impute import SimpleImputer
from sklearn.pipeline import FeatureUnion, make_pipeline
from sklearn.preprocessing import (
    FunctionTransformer,
    MaxAbsScaler,
    MinMaxScaler,
    OneHotEncoder,
    OrdinalEncoder,
    RobustScaler,
    StandardScaler,
)

from model.data.dataset import Column, Floats
from model.onnx.builder import GraphBuilder
from model.onnx.columns import Frame, input_frame, transform
from model.onnx.convert import _refuse_transformer
from model.serving.estimator import _make_table
from model.serving.scorer import INPUT, OUTPUT

COLUMNS = (
    Column("amount", "number", nullable=True),
    Column("hour", "integer"),
    Column("channel", "category", categories=("app", "shop", "web"), nullable=True),
    Column("is_new", "boolean"),
)


def make_rows(rows: int, seed: int) -> Floats:
    random = np.random.default_rng(seed)
    return np.column_stack(
        [
            np.where(random.random(rows) < 0.2, np.nan, random.lognormal(3, 1, rows)),
            random.integers(0, 9, rows),
            np.where(random.random(rows) < 0.2, np.nan, random.integers(0, 3, rows)),
            random.integers(0, 2, rows),
        ]
    )


def as_table(rows: Floats) -> pd.DataFrame:
    table: pd.DataFrame = _make_table(rows, COLUMNS)
    return table


NUMBERS = ["amount", "hour"]
STEPS: dict[str, Any] = {
    "standard": ColumnTransformer([("n", StandardScaler(), NUMBERS)]),
    "standard, no mean": ColumnTransformer([("n", StandardScaler(with_mean=False), NUMBERS)]),
    "robust": ColumnTransformer([("n", RobustScaler(), NUMBERS)]),
    "largest": ColumnTransformer([("n", MaxAbsScaler(), NUMBERS)]),
    "range": ColumnTransformer([("n", MinMaxScaler(), NUMBERS)]),
    "range, clipped": ColumnTransformer([("n", MinMaxScaler(clip=True), NUMBERS)]),
    "imputed": ColumnTransformer(
        [("n", make_pipeline(SimpleImputer(strategy="median"), StandardScaler()), NUMBERS)]
    ),
    "one flag a category, missing is one": ColumnTransformer(
        [("c", OneHotEncoder(handle_unknown="ignore"), ["channel", "hour", "is_new"])]
    ),
    "first category dropped": ColumnTransformer(
        [("c", OneHotEncoder(drop="first", handle_unknown="ignore"), ["channel", "is_new"])]
    ),
    "imputed categories": ColumnTransformer(
        [
            (
                "c",
                make_pipeline(
                    SimpleImputer(strategy="constant", fill_value="none"),
                    OneHotEncoder(handle_unknown="ignore"),
                ),
                ["channel"],
            )
        ]
    ),
    "codes": ColumnTransformer(
        [
            (
                "c",
                OrdinalEncoder(
                    handle_unknown="use_encoded_value",
                    unknown_value=-1,
                    encoded_missing_value=-2,
                ),
                ["channel", "hour"],
            )
        ]
    ),
    "codes, missing stays": ColumnTransformer([("c", OrdinalEncoder(), ["channel"])]),
    "rest as it is": ColumnTransformer(
        [("c", "drop", ["channel"]), ("n", StandardScaler(), ["hour"])], remainder="passthrough"
    ),
    "side by side": ColumnTransformer(
        [("n", FeatureUnion([("a", StandardScaler()), ("b", MinMaxScaler())]), NUMBERS)]
    ),
    "nothing": ColumnTransformer([("n", FunctionTransformer(), NUMBERS)]),
}


@pytest.mark.parametrize("name", STEPS)
def test_prepared_columns_are_scikit_learns(name: str) -> None:
    """On other rows than it was fitted on; hours beyond the ones that it saw are among them."""
    fitted, other = make_rows(300, 1), make_rows(2000, 2)
    if name in ("one flag a category, missing is one", "codes"):
        fitted = fitted[fitted[:, 1] < 6]
    step = STEPS[name].fit(as_table(fitted))

    expected = step.transform(as_table(other))
    expected = expected.toarray() if hasattr(expected, "toarray") else np.asarray(expected)

    np.testing.assert_array_equal(run(step, other), expected.astype(np.float64))


def run(step: Any, rows: Floats) -> Floats:
    builder = GraphBuilder(len(COLUMNS))
    made: Frame = transform(builder, step, input_frame(COLUMNS), _refuse_transformer)
    session = ort.InferenceSession(builder.finish(made.tensor))
    prepared: Floats = session.run([OUTPUT], {INPUT: rows})[0]
    assert prepared.shape[1] == len(made.words)
    return prepared
