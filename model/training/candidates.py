"""The models that are tried; all preprocessing is inside the pipeline, fitted on its rows alone.

Two steps: `scaler`, saved on its own too, and `classifier`. Trees take categories by their index
and missing values as they are; logistic regression takes a weight per category and the median.

No class weights and no resampling: they would spoil the probabilities. A rare class is met by the
threshold's rule instead.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

import numpy as np
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from model.data.dataset import Column, Floats, Labels

# Rows that each tree of a forest sees: more makes it slower and larger, hardly better.
FOREST_ROWS: Final = 50_000
FOREST_TREES: Final = 200

Maker = Callable[[Sequence[Column], int, int], Pipeline]


def make_logistic(columns: Sequence[Column], rows: int, seed: int) -> Pipeline:
    """Logistic regression on scaled numbers and a weight per category."""
    classifier = LogisticRegression(max_iter=5000, random_state=seed)
    return Pipeline([("scaler", _make_linear_scaler(columns)), ("classifier", classifier)])


def make_forest(columns: Sequence[Column], rows: int, seed: int) -> Pipeline:
    """A random forest with leaves of at least two rows."""
    classifier = RandomForestClassifier(
        n_estimators=FOREST_TREES,
        min_samples_leaf=2,
        max_samples=FOREST_ROWS if rows > FOREST_ROWS else None,
        random_state=seed,
    )
    return Pipeline([("scaler", StandardScaler()), ("classifier", classifier)])


def make_boosting(columns: Sequence[Column], rows: int, seed: int) -> Pipeline:
    """Gradient boosting of many small trees, learning slowly."""
    classifier = HistGradientBoostingClassifier(
        learning_rate=0.05,
        max_iter=200,
        max_leaf_nodes=15,
        min_samples_leaf=50,
        l2_regularization=5.0,
        max_features=0.6,
        early_stopping=False,
        random_state=seed,
    )
    return Pipeline([("scaler", StandardScaler()), ("classifier", classifier)])


CANDIDATES: Final[dict[str, Maker]] = {
    "logistic": make_logistic,
    "boosting": make_boosting,
    "forest": make_forest,
}


def fit_candidate(
    name: str, columns: Sequence[Column], features: Floats, target: Labels, seed: int
) -> Pipeline:
    """A candidate fitted to these rows."""
    pipeline = CANDIDATES[name](columns, len(target), seed)
    classifier = pipeline["classifier"]
    if isinstance(classifier, RandomForestClassifier):
        # Trees do not depend on each other, so two threads grow the same forest. Predicting adds
        # them up in the order in which the threads finish, so there it must be one.
        classifier.set_params(n_jobs=2)
        pipeline.fit(features, target)
        classifier.set_params(n_jobs=None)
        return pipeline
    return pipeline.fit(features, target)


def _make_linear_scaler(columns: Sequence[Column]) -> StandardScaler | ColumnTransformer:
    categories = [index for index, column in enumerate(columns) if column.type == "category"]
    if not categories and not any(column.nullable for column in columns):
        return StandardScaler()
    numbers = [index for index in range(len(columns)) if index not in categories]
    codes = [
        np.arange(len(columns[index].categories or ()), dtype=np.float64) for index in categories
    ]
    filled = Pipeline([("median", SimpleImputer(strategy="median")), ("scale", StandardScaler())])
    encoder = OneHotEncoder(categories=codes, handle_unknown="ignore", sparse_output=False)
    return ColumnTransformer([("numbers", filled, numbers), ("categories", encoder, categories)])
