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
from model.onnx.export import export_onnx
from model.onnx.parity import check_parity
from model.onnx.probes import find_steps, make_probes
from model.registry.publication import FinishedModel, Predict, Progress, Publication, publish
from model.registry.writer import RegistryWriter
from model.serving.card import MODEL_FILE, SCALER_FILE
from model.serving.errors import ModelError
from model.training.calibration import Model, calibrate, predict_fraud, split_calibration
from model.training.candidates import CANDIDATES, fit_candidate
from model.training.curve import Ranking
from model.training.threshold import CostRule, Rule, choose_threshold


def train(
    dataset: Dataset,
    registry: RegistryWriter,
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
        trials, scores = _try_candidates(dataset, candidates, seed, progress)
        best = max(candidates, key=lambda name: scores[name])
        progress(f"{best}: fitting to all {dataset.split.known.stop:,} known rows")
        finished = _finish_model(dataset, best, trials[best], scores, rule or CostRule(), seed)
        progress(f"ONNX file checked: largest difference {_check_onnx(dataset, finished):.1e}")
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


def _try_candidates(
    dataset: Dataset, candidates: Sequence[str], seed: int, progress: Progress
) -> tuple[dict[str, Pipeline], dict[str, float]]:
    """Each candidate fitted to the training rows, and its average precision on validation."""
    rows, validation = dataset.split.training, dataset.split.validation
    trials, scores = {}, {}
    for name in candidates:
        progress(f"{name}: fitting to {rows.stop:,} rows")
        columns = dataset.columns
        trials[name] = fit_candidate(
            name, columns, dataset.features[rows], dataset.target[rows], seed
        )
        probability = predict_fraud(trials[name], dataset.features[validation])
        curve = Ranking(dataset.target[validation], probability).curve()
        scores[name] = round(curve.average_precision(), 6)
        progress(f"{name}: average precision {scores[name]:.4f} on the validation rows")
    return trials, scores


def _finish_model(
    dataset: Dataset, best: str, trial: Pipeline, scores: dict[str, float], rule: Rule, seed: int
) -> FinishedModel:
    """The best candidate fitted to all known rows, with the trial's calibration and threshold."""
    known, validation = dataset.split.known, dataset.split.validation
    rows, labels = dataset.features[validation], dataset.target[validation]
    final = fit_candidate(
        best, dataset.columns, dataset.features[known], dataset.target[known], seed
    )
    # The threshold is set with the calibration that will be served, on rows not yet fitted to.
    threshold = choose_threshold(
        rule, labels, predict_fraud(calibrate(trial, trial, rows, labels), rows)
    )
    model = calibrate(trial, final, rows, labels)
    pipeline, sigmoid = split_calibration(model)
    return FinishedModel(
        predict=_make_predictor(model),
        onnx=export_onnx(model),
        joblibs={MODEL_FILE: _dump_joblib(model), SCALER_FILE: _dump_joblib(pipeline["scaler"])},
        model_type=type(pipeline["classifier"]).__name__,
        threshold=threshold,
        rule=f"on the validation rows: {rule}",
        candidates=scores,
        calibration=None if sigmoid is None else (sigmoid.slope, sigmoid.shift),
    )


def _check_onnx(dataset: Dataset, finished: FinishedModel) -> float:
    """Largest difference to scikit-learn's scores, on the holdout and on probes of the schema."""
    assert finished.onnx is not None
    known = dataset.features[dataset.split.known]
    probes = make_probes(dataset.columns, known, np.zeros(0))
    steps = find_steps(dataset.columns, known, finished.predict)
    rows = np.concatenate([dataset.features[dataset.split.holdout], probes, steps])
    return check_parity(finished.onnx, rows, finished.predict(rows))


def _dump_joblib(item: object) -> bytes:
    file = io.BytesIO()
    joblib.dump(item, file, compress=3)
    return file.getvalue()


def _make_predictor(model: Model) -> Predict:
    def predict(features: Floats) -> Floats:
        return predict_fraud(model, features)

    return predict
