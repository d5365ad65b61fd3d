"""From a dataset to a published model: try, choose, calibrate, set the threshold.

Candidates are fitted to the training rows; the validation rows choose the best by average
precision, calibrate it and set its threshold; then it is fitted once more, to both. The holdout
only judges.
"""

from __future__ import annotations

import io
import time
from collections.abc import Sequence

import joblib
import numpy as np
from sklearn.pipeline import Pipeline
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from model.data.dataset import Dataset, Floats
from model.onnx.export import onnx_bytes
from model.registry.publication import Finished, Predict, Progress, Publication, publish
from model.serving.card import MODEL_FILE, SCALER_FILE
from model.serving.errors import ModelError
from model.serving.registry import Registry
from model.training.calibration import Model, calibrate, fraud_probability, parts
from model.training.candidates import CANDIDATES, fit
from model.training.curve import Ranking
from model.training.threshold import CostRule, Rule, choose


def train(
    dataset: Dataset,
    registry: Registry,
    *,
    seed: int,
    rule: Rule | None = None,
    candidates: Sequence[str] = tuple(CANDIDATES),
    progress: Progress = lambda line: None,
) -> Publication:
    """Train, judge on the holdout, publish and make champion. Same dataset and seed, same bytes."""
    began = time.time()
    # One thread: two per process, in several processes, are fifty times slower; and sums that are
    # split among threads would differ between machines.
    with threadpool_limits(limits=1):
        _check_classes(dataset)
        trials, scores = _try(dataset, candidates, seed, progress)
        best = max(candidates, key=lambda name: scores[name])
        progress(f"{best}: fitting to all {dataset.split.known.stop:,} known rows")
        finished = _finish(dataset, best, trials[best], scores, rule or CostRule(), seed)
        return publish(dataset, finished, registry, seed=seed, began=began, progress=progress)


def _check_classes(dataset: Dataset) -> None:
    split = dataset.split
    parts = {
        "training": split.training,
        "validation": split.validation,
        "holdout": split.holdout,
    }
    for name, rows in parts.items():
        present = np.unique(dataset.target[rows])
        if present.size < 2:
            word = "no frauds" if 1 not in present else "only frauds"
            raise ModelError(
                f"the {name} rows hold {word} (column '{dataset.target_name}'); both are needed"
            )


def _try(
    dataset: Dataset, candidates: Sequence[str], seed: int, progress: Progress
) -> tuple[dict[str, Pipeline], dict[str, float]]:
    """Each candidate fitted to the training rows, and its average precision on validation."""
    rows, validation = dataset.split.training, dataset.split.validation
    trials, scores = {}, {}
    for name in candidates:
        progress(f"{name}: fitting to {rows.stop:,} rows")
        columns = dataset.columns
        trials[name] = fit(name, columns, dataset.features[rows], dataset.target[rows], seed)
        probability = fraud_probability(trials[name], dataset.features[validation])
        curve = Ranking(dataset.target[validation], probability).curve()
        scores[name] = round(curve.average_precision(), 6)
        progress(f"{name}: average precision {scores[name]:.4f} on the validation rows")
    return trials, scores


def _finish(
    dataset: Dataset, best: str, trial: Pipeline, scores: dict[str, float], rule: Rule, seed: int
) -> Finished:
    """The best candidate fitted to all known rows, with the trial's calibration and threshold."""
    known, validation = dataset.split.known, dataset.split.validation
    rows, labels = dataset.features[validation], dataset.target[validation]
    final = fit(best, dataset.columns, dataset.features[known], dataset.target[known], seed)
    # The threshold is set with the calibration that will be served, on rows not yet fitted to.
    threshold = choose(rule, labels, fraud_probability(calibrate(trial, trial, rows, labels), rows))
    model = calibrate(trial, final, rows, labels)
    pipeline, sigmoid = parts(model)
    return Finished(
        predict=_predictor(model),
        onnx=onnx_bytes(model),
        joblibs={MODEL_FILE: _joblib(model), SCALER_FILE: _joblib(pipeline["scaler"])},
        model_type=type(pipeline["classifier"]).__name__,
        threshold=threshold,
        rule=f"on the validation rows: {rule}",
        candidates=scores,
        calibration=None if sigmoid is None else (sigmoid.slope, sigmoid.shift),
    )


def _joblib(item: object) -> bytes:
    file = io.BytesIO()
    joblib.dump(item, file, compress=3)
    return file.getvalue()


def _predictor(model: Model) -> Predict:
    def predict(features: Floats) -> Floats:
        return fraud_probability(model, features)

    return predict
