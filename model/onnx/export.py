"""A trained model as an ONNX file."""

from __future__ import annotations

from sklearn.compose import ColumnTransformer
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.linear_model import LogisticRegression

from model.onnx.graphs import (
    Graph,
    apply_calibration,
    assemble,
    build_linear_graph,
    build_tree_graph,
    fold_scaler,
    read_mixed_weights,
    read_scaled_weights,
)
from model.onnx.trees import read_boosting, read_forest
from model.serving.errors import ModelError
from model.training.calibration import Model, Sigmoid, split_calibration


def export_onnx(model: Model) -> bytes:
    """The model file of a trained candidate; the same model gives the same bytes."""
    pipeline, sigmoid = split_calibration(model)
    scaler, classifier = pipeline["scaler"], pipeline["classifier"]
    if isinstance(classifier, LogisticRegression):
        built = _export_linear(scaler, classifier, sigmoid)
    else:
        built = _export_trees(scaler, classifier, sigmoid)
    return assemble(built, scaler.n_features_in_)


def _export_trees(scaler: object, classifier: object, sigmoid: Sigmoid | None) -> Graph:
    boosted = isinstance(classifier, HistGradientBoostingClassifier)
    if boosted:
        trees, base = read_boosting(classifier)
    elif isinstance(classifier, RandomForestClassifier):
        trees, base = read_forest(classifier)
    else:
        raise ModelError(f"there is no ONNX export for {type(classifier).__name__}")
    trees = [fold_scaler(tree, scaler, single=not boosted) for tree in trees]
    if sigmoid is not None:
        trees, base = apply_calibration(trees, base, sigmoid.slope, sigmoid.shift)
    return build_tree_graph(trees, base, logistic=boosted or sigmoid is not None)


def _export_linear(
    scaler: object, classifier: LogisticRegression, sigmoid: Sigmoid | None
) -> Graph:
    sigmoid = sigmoid or Sigmoid(1.0, 0.0)
    weights = sigmoid.slope * classifier.coef_[0]
    intercept = sigmoid.slope * classifier.intercept_[0] + sigmoid.shift
    read = read_mixed_weights if isinstance(scaler, ColumnTransformer) else read_scaled_weights
    return build_linear_graph(read(scaler, weights, intercept))
