"""A fitted pipeline as an ONNX file, and the check that both give the same scores."""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt
import onnxruntime as ort
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline

from model import graph
from model.errors import ModelError
from model.scorer import INPUT, OUTPUT

Floats = npt.NDArray[np.float64]

PARITY: Final = 1e-5


def onnx_bytes(pipeline: Pipeline) -> bytes:
    """The model file of a candidate (steps `scaler` and `classifier`); same model, same bytes."""
    scaler, classifier = pipeline["scaler"], pipeline["classifier"]
    if isinstance(classifier, HistGradientBoostingClassifier):
        trees, base = graph.boosting_trees(classifier)
        unscaled = [graph.unscaled(tree, scaler, single=False) for tree in trees]
        parts = graph.tree_graph(unscaled, base, logistic=True)
    elif isinstance(classifier, LogisticRegression):
        weights = classifier.coef_[0] / scaler.scale_
        parts = graph.linear_graph(weights, classifier.intercept_[0] - weights @ scaler.mean_)
    else:
        raise ModelError(f"there is no ONNX export for {type(classifier).__name__}")
    return graph.assemble(parts, scaler.n_features_in_)


def check_parity(model: bytes, features: Floats, probability: Floats) -> float:
    """Largest difference of the file's scores from scikit-learn's; more than PARITY is an error."""
    session = ort.InferenceSession(model, providers=["CPUExecutionProvider"])
    scores = session.run([OUTPUT], {INPUT: features})[0].ravel()
    difference = float(np.max(np.abs(scores - probability)))
    if not difference <= PARITY:
        raise ModelError(
            f"the ONNX file's scores differ from scikit-learn's by up to {difference:.2g},"
            f" more than the {PARITY:g} that is allowed; nothing was published"
        )
    return difference
