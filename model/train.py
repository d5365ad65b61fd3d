"""From a dataset to a published model: try, choose, calibrate, set the threshold.

Candidates are fitted to the training rows; the validation rows choose the best by average
precision, calibrate it and set its threshold; then it is fitted once more, to both. The holdout
only judges; what was judged is what is served, so that the card's figures are its own. With `refit`
the same steps follow one part later, and the model that is served has seen all rows.
"""

from __future__ import annotations

import io
import time
from collections.abc import Sequence
from dataclasses import replace

import joblib
import numpy as np
from sklearn.pipeline import Pipeline
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from model.data.dataset import Dataset, Floats
from model.data.split import Split
from model.onnx.export import export_onnx
from model.onnx.parity import check_parity
from model.onnx.probes import find_steps, make_probes
from model.registry.publication import (
    FinishedModel,
    Predict,
    Progress,
    Publication,
    Refit,
    publish,
)
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
    refit: bool = False,
    progress: Progress = lambda line: None,
) -> Publication:
    """Train, judge on the holdout, publish and make champion. Same dataset and seed, same bytes.

    `refit`: what is served is fitted once more after that, to all rows.
    """
    began = time.time()
    # One thread: two per process, in several processes, are fifty times slower; and sums that are
    # split among threads would differ between machines.
    with threadpool_limits(limits=1):
        _check_classes(dataset)
        trials, scores = _try_candidates(dataset, candidates, seed, progress)
        best = max(candidates, key=lambda name: scores[name])
        progress(f"{best}: fitting to all {dataset.split.known.stop:,} known rows")
        rule = rule or CostRule()
        judged, model = _finish_model(dataset, best, trials[best], scores, rule, seed)
        finished, predict = judged, judged.predict
        if refit:
            progress(f"{best}: fitting once more, to all {len(dataset):,} rows")
            finished, predict = _refit(dataset, best, model, judged, rule, seed)
        difference = _check_onnx(dataset, finished, predict)
        progress(f"ONNX file checked: largest difference to scikit-learn {difference:.1e}")
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
) -> tuple[FinishedModel, Pipeline]:
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
    finished = FinishedModel(
        predict=_make_predictor(model),
        onnx=export_onnx(model),
        joblibs={MODEL_FILE: _dump_joblib(model), SCALER_FILE: _dump_joblib(pipeline["scaler"])},
        model_type=type(pipeline["classifier"]).__name__,
        threshold=threshold,
        rule=f"on the validation rows: {rule}",
        candidates=scores,
        calibration=None if sigmoid is None else (sigmoid.slope, sigmoid.shift),
    )
    return finished, final


def _refit(
    dataset: Dataset,
    best: str,
    pipeline: Pipeline,
    judged: FinishedModel,
    rule: Rule,
    seed: int,
) -> tuple[FinishedModel, Predict]:
    """The same steps one part later: what was judged calibrates and sets the threshold on the
    holdout, and the model is fitted to all rows. The figures stay those of the judged one."""
    split = dataset.split
    moved = replace(dataset, split=Split(split.known, split.holdout, split.holdout, 0))
    finished, _ = _finish_model(moved, best, pipeline, judged.candidates, rule, seed)
    refit = Refit(moved.split.known, judged.threshold)
    kept = replace(finished, predict=judged.predict, rule=f"on the holdout: {rule}", refit=refit)
    return kept, finished.predict


def _check_onnx(dataset: Dataset, finished: FinishedModel, predict: Predict) -> float:
    """Largest difference to scikit-learn's scores, on the holdout and on probes of the schema."""
    assert finished.onnx is not None
    known = dataset.features[dataset.split.known]
    probes = make_probes(dataset.columns, known, np.zeros(0))
    steps = find_steps(dataset.columns, known, predict)
    rows = np.concatenate([dataset.features[dataset.split.holdout], probes, steps])
    return check_parity(finished.onnx, rows, predict(rows))


def _dump_joblib(item: object) -> bytes:
    file = io.BytesIO()
    joblib.dump(item, file, compress=3)
    return file.getvalue()


def _make_predictor(model: Model) -> Predict:
    def predict(features: Floats) -> Floats:
        return predict_fraud(model, features)

    return predict
