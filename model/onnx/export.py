"""A trained model as an ONNX file, and the check that both give the same scores."""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt
import onnxruntime as ort
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.linear_model import LogisticRegression

from model.onnx.trees import (
    Graph,
    assemble,
    boosting_trees,
    calibrated,
    forest_trees,
    linear_graph,
    mixed_weights,
    scaled_weights,
    tree_graph,
    unscaled,
)
from model.serving.errors import ModelError
from model.serving.scorer import INPUT, OUTPUT
from model.training.calibration import Model, Sigmoid, parts

Floats = npt.NDArray[np.float64]

PARITY: Final = 1e-5


def onnx_bytes(model: Model) -> bytes:
    """The model file of a trained candidate; the same model gives the same bytes."""
    pipeline, sigmoid = parts(model)
    scaler, classifier = pipeline["scaler"], pipeline["classifier"]
    if isinstance(classifier, LogisticRegression):
        built = _linear(scaler, classifier, sigmoid)
    else:
        built = _trees(scaler, classifier, sigmoid)
    return assemble(built, scaler.n_features_in_)


def check_parity(model: bytes, features: Floats, probability: Floats) -> float:
    """Largest difference of the file's scores from scikit-learn's; more than PARITY is an error."""
    session = ort.InferenceSession(model, providers=["CPUExecutionProvider"])
    scores = session.run([OUTPUT], {INPUT: features})[0].ravel()
    difference = float(np.max(np.abs(scores - probability)))
    if not difference <= PARITY:
        raise ModelError(
            f"the ONNX file's scores differ from scikit-learn's by up to {difference:.2g},"
            f" more than the {PARITY:g} that is allowed"
        )
    return difference


def _trees(scaler: object, classifier: object, sigmoid: Sigmoid | None) -> Graph:
    boosted = isinstance(classifier, HistGradientBoostingClassifier)
    if boosted:
        trees, base = boosting_trees(classifier)
    elif isinstance(classifier, RandomForestClassifier):
        trees, base = forest_trees(classifier)
    else:
        raise ModelError(f"there is no ONNX export for {type(classifier).__name__}")
    trees = [unscaled(tree, scaler, single=not boosted) for tree in trees]
    if sigmoid is not None:
        trees, base = calibrated(trees, base, sigmoid.slope, sigmoid.shift)
    return tree_graph(trees, base, logistic=boosted or sigmoid is not None)


def _linear(scaler: object, classifier: LogisticRegression, sigmoid: Sigmoid | None) -> Graph:
    sigmoid = sigmoid or Sigmoid(1.0, 0.0)
    weights = sigmoid.slope * classifier.coef_[0]
    intercept = sigmoid.slope * classifier.intercept_[0] + sigmoid.shift
    read = mixed_weights if isinstance(scaler, ColumnTransformer) else scaled_weights
    return linear_graph(read(scaler, weights, intercept))
