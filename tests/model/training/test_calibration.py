"""Calibration is used where it helps, and is then the same in both files."""

from __future__ import annotations

import numpy as np
import onnxruntime as ort
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler

from model.data.dataset import Dataset
from model.onnx.export import export_onnx
from model.serving.scorer import INPUT, OUTPUT
from model.training.calibration import calibrate, predict_fraud, split_calibration
from model.training.candidates import fit_candidate
from model.training.metrics import measure_calibration


def overconfident(dataset: Dataset) -> Pipeline:
    """A logistic regression whose logits are three times too large."""
    classifier = LogisticRegression(max_iter=1000)
    model = Pipeline([("scaler", StandardScaler()), ("classifier", classifier)])
    rows = dataset.split.training
    model.fit(dataset.features[rows], dataset.target[rows])
    classifier.coef_ *= 3
    classifier.intercept_ *= 3
    return model


def test_overconfident_scores_are_corrected(dataset: Dataset) -> None:
    split, trial = dataset.split, overconfident(dataset)
    model = calibrate(
        trial, trial, dataset.features[split.validation], dataset.target[split.validation]
    )

    holdout, target = dataset.features[split.holdout], dataset.target[split.holdout]
    before = measure_calibration(target, predict_fraud(trial, holdout))
    after = measure_calibration(target, predict_fraud(model, holdout))

    sigmoid = split_calibration(model)[1]
    assert sigmoid is not None and sigmoid.slope == pytest.approx(1 / 3, rel=0.25)
    # What is left is chance: 20 bins of 4,000 rows.
    assert after < 0.6 * before


def test_scores_that_are_right_are_left_alone(dataset: Dataset) -> None:
    split = dataset.split
    rows = split.training
    trial = fit_candidate(
        "boosting", dataset.columns, dataset.features[rows], dataset.target[rows], 1
    )

    model = calibrate(
        trial, trial, dataset.features[split.validation], dataset.target[split.validation]
    )

    assert model is trial


def test_few_frauds_calibrate_nothing(dataset: Dataset) -> None:
    trial = overconfident(dataset)
    few = slice(dataset.split.validation.start, dataset.split.validation.start + 500)

    assert calibrate(trial, trial, dataset.features[few], dataset.target[few]) is trial


@pytest.mark.parametrize("name", ["logistic", "boosting", "forest"])
def test_a_calibrated_model_is_served_as_it_is(dataset: Dataset, name: str) -> None:
    """Forced by labels that the model was not fitted to."""
    split, rows = dataset.split, slice(0, 4000)
    trial = fit_candidate(name, dataset.columns, dataset.features[rows], dataset.target[rows], 1)
    validation = dataset.features[split.validation]
    flipped = (predict_fraud(trial, validation) < 0.05).astype(np.int8)
    model = calibrate(trial, trial, validation, flipped)
    assert split_calibration(model)[1] is not None

    session = ort.InferenceSession(export_onnx(model), providers=["CPUExecutionProvider"])
    scores = session.run([OUTPUT], {INPUT: dataset.features})[0].ravel()

    assert np.abs(scores - predict_fraud(model, dataset.features)).max() < 1e-6
