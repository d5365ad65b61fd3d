"""The written ONNX graphs take the branches that scikit-learn takes."""

from __future__ import annotations

import numpy as np
import onnxruntime as ort
import pytest
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler

from model.data.dataset import make_synthetic_dataset
from model.onnx.graphs import assemble, build_tree_graph, fold_scaler
from model.onnx.trees import read_boosting, read_forest
from model.serving.scorer import INPUT, OUTPUT

TRAINING, FRESH = make_synthetic_dataset(5_000, 1), make_synthetic_dataset(100_000, 2)
BOOSTING = HistGradientBoostingClassifier(max_iter=40, early_stopping=False)
FOREST = RandomForestClassifier(15, random_state=0)


def fitted(classifier: object, features: np.ndarray) -> Pipeline:
    pipeline = Pipeline([("scaler", StandardScaler()), ("classifier", classifier)])
    return pipeline.fit(features, TRAINING.target)


def onnx_scores(pipeline: Pipeline, features: np.ndarray) -> np.ndarray:
    scaler, classifier = pipeline["scaler"], pipeline["classifier"]
    boosted = isinstance(classifier, HistGradientBoostingClassifier)
    read = read_boosting if boosted else read_forest
    trees, base = read(classifier)
    in_units = [fold_scaler(tree, scaler, single=not boosted) for tree in trees]
    model = assemble(build_tree_graph(in_units, base, logistic=boosted), features.shape[1])
    session = ort.InferenceSession(model, providers=["CPUExecutionProvider"])
    scores: np.ndarray = session.run([OUTPUT], {INPUT: features})[0]
    return scores.ravel()


@pytest.mark.parametrize("classifier", [BOOSTING, FOREST], ids=["boosting", "forest"])
def test_scores_are_equal_to_rounding(classifier: object) -> None:
    pipeline = fitted(classifier, TRAINING.features)

    scores = onnx_scores(pipeline, FRESH.features)

    assert np.abs(scores - pipeline.predict_proba(FRESH.features)[:, 1]).max() < 1e-6


@pytest.mark.parametrize("classifier", [BOOSTING, FOREST], ids=["boosting", "forest"])
def test_scores_are_equal_on_the_thresholds_and_beside_them(classifier: object) -> None:
    """The training values themselves and their neighbours among the floats, where a scaling in 32
    bits would take the other branch."""
    pipeline = fitted(classifier, TRAINING.features)
    near = np.concatenate(
        [
            TRAINING.features,
            np.nextafter(TRAINING.features, np.inf),
            np.nextafter(TRAINING.features, -np.inf),
        ]
    )

    scores = onnx_scores(pipeline, near)

    assert np.abs(scores - pipeline.predict_proba(near)[:, 1]).max() < 1e-6


@pytest.mark.parametrize("classifier", [BOOSTING, FOREST], ids=["boosting", "forest"])
def test_missing_values_take_the_same_branch(classifier: object) -> None:
    random = np.random.default_rng(3)

    def holed(features: np.ndarray) -> np.ndarray:
        return np.where(random.random(features.shape) < 0.2, np.nan, features)

    pipeline = fitted(classifier, holed(TRAINING.features))
    fresh = holed(FRESH.features)

    assert np.abs(onnx_scores(pipeline, fresh) - pipeline.predict_proba(fresh)[:, 1]).max() < 1e-6
