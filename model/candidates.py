"""The models that are tried; all preprocessing is inside the pipeline, fitted on its rows alone.

No class weights and no resampling: they would spoil the probabilities. A rare class is met by the
threshold's rule instead.
"""

from __future__ import annotations

from typing import Final

from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler


def logistic(seed: int) -> Pipeline:
    """Logistic regression on scaled features."""
    return _scaled(LogisticRegression(max_iter=2000, random_state=seed))


def boosting(seed: int) -> Pipeline:
    """Gradient boosting of many small trees, learning slowly."""
    return _scaled(
        HistGradientBoostingClassifier(
            learning_rate=0.05,
            max_iter=200,
            max_leaf_nodes=15,
            min_samples_leaf=50,
            l2_regularization=1.0,
            early_stopping=False,
            random_state=seed,
        )
    )


CANDIDATES: Final = {"logistic": logistic, "boosting": boosting}


def _scaled(classifier: object) -> Pipeline:
    return Pipeline([("scaler", StandardScaler()), ("classifier", classifier)])
