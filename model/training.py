"""From a dataset to a published model: try, choose, calibrate, set the threshold, judge, publish.

Candidates are fitted to the training rows; the validation rows choose the best by average
precision, calibrate it and set its threshold; then it is fitted once more, to both. The holdout
only judges.
"""

from __future__ import annotations

import platform
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import joblib
import msgspec
import numpy as np
import onnx
import onnxruntime
import sklearn
from sklearn.pipeline import Pipeline
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from model.background import BACKGROUND_FILE, encode_background, sample_background
from model.calibration import Model, calibrate, fraud_probability, parts
from model.candidates import CANDIDATES, fit
from model.card import (
    ONNX_FILE,
    SCHEMA,
    Card,
    DataSummary,
    Feature,
    RiskLevels,
    ValueBand,
    sha256_of,
)
from model.curve import Ranking
from model.dataset import Dataset, Floats, Labels
from model.describe import describe, number_baseline, permutation_importance
from model.errors import ModelError
from model.export import check_parity, onnx_bytes
from model.metrics import intervals, measure
from model.model_card import MODEL_CARD_FILE, model_card
from model.plots import draw
from model.registry import Published, Registry
from model.segments import segment_masks, segment_metrics
from model.threshold import CostRule, Rule, choose

# Probabilities are calibrated, so these read: one in ten, every second one.
RISK_LEVELS: Final = RiskLevels(medium=0.1, high=0.5)
MODEL_FILE: Final = "model.joblib"
SCALER_FILE: Final = "scaler.joblib"
_HIGH_VALUE_QUANTILE: Final = 0.9
_IMPORTANCE_ROWS: Final = 20_000

Progress = Callable[[str], None]


@dataclass(frozen=True)
class Publication:
    """What a training led to; `is_new` is False where the same content was published before."""

    card: Card
    is_new: bool
    parity: float

    @property
    def version(self) -> str:
        """The version's name."""
        return self.card.version


@dataclass(frozen=True)
class Fitted:
    """The chosen model, and how it was chosen: the card's figures of the validation rows."""

    model: Model
    threshold: float
    rule: str
    candidates: dict[str, float]


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
    with threadpool_limits(limits=1), tempfile.TemporaryDirectory() as folder:
        _check_classes(dataset)
        fitted = _fit(dataset, candidates, rule or CostRule(), seed, progress)
        progress("judging on the holdout")
        card = _card(dataset, fitted, seed)
        features = dataset.features[dataset.split.holdout]
        parity = _write_files(fitted.model, Path(folder), features)
        background = sample_background(dataset.features[dataset.split.known], seed)
        (Path(folder) / BACKGROUND_FILE).write_bytes(encode_background(background))
        progress(f"ONNX file checked: largest difference to scikit-learn {parity:.1e}")
        card = registry.named(_with_files(card, Path(folder)))
        _write_for_people(Path(folder), card, dataset, fitted.model)
        published = Published(trained_at=began, training_seconds=time.time() - began)
        is_new = registry.publish(card, Path(folder), published)
    if is_new:
        registry.promote(card.version)
    return Publication(registry.card(card.version), is_new, parity)


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
                f"the {name} rows hold {word} ({dataset.target_name}); both are needed"
            )


def _fit(
    dataset: Dataset, candidates: Sequence[str], rule: Rule, seed: int, progress: Progress
) -> Fitted:
    split, columns = dataset.split, dataset.columns
    validation, labels = dataset.features[split.validation], dataset.target[split.validation]
    trials: dict[str, Pipeline] = {}
    scores: dict[str, float] = {}
    for name in candidates:
        progress(f"{name}: fitting to {split.training.stop:,} rows")
        rows = split.training
        trials[name] = fit(name, columns, dataset.features[rows], dataset.target[rows], seed)
        probability = fraud_probability(trials[name], validation)
        scores[name] = round(Ranking(labels, probability).curve().average_precision(), 6)
        progress(f"{name}: average precision {scores[name]:.4f} on the validation rows")
    best = max(candidates, key=lambda name: scores[name])
    progress(f"{best}: fitting to all {split.known.stop:,} known rows")
    known = split.known
    final = fit(best, columns, dataset.features[known], dataset.target[known], seed)
    # The threshold is set with the calibration that will be served, on rows not yet fitted to.
    trial = calibrate(trials[best], trials[best], validation, labels)
    threshold = choose(rule, labels, fraud_probability(trial, validation))
    model = calibrate(trials[best], final, validation, labels)
    return Fitted(model, threshold, f"on the validation rows: {rule}", scores)


def _card(dataset: Dataset, fitted: Fitted, seed: int) -> Card:
    holdout = dataset.split.holdout
    features, target = dataset.features[holdout], dataset.target[holdout]
    scores = fraud_probability(fitted.model, features)
    pipeline, sigmoid = parts(fitted.model)
    value_band = _value_band(dataset)
    masks = segment_masks(dataset.columns, features, dataset.user_types, value_band)
    return Card(
        schema=SCHEMA,
        version="",
        model_type=type(pipeline["classifier"]).__name__,
        features=_features(dataset, fitted.model, seed),
        threshold=fitted.threshold,
        threshold_rule=fitted.rule,
        risk_levels=RISK_LEVELS,
        metrics=measure(target, scores, fitted.threshold),
        intervals=intervals(target, scores, fitted.threshold, seed),
        segments=segment_metrics(masks, target, scores, fitted.threshold),
        candidates=fitted.candidates,
        calibration=None if sigmoid is None else (sigmoid.slope, sigmoid.shift),
        data=_summary(dataset),
        seed=seed,
        score_baseline=number_baseline(scores.round(9)),
        libraries=_libraries(),
        files={},
        user_types=dataset.user_types,
        value_band=value_band,
    )


def _features(dataset: Dataset, model: Model, seed: int) -> tuple[Feature, ...]:
    rows, target = _importance_rows(dataset, seed)
    importance = permutation_importance(
        lambda features: fraud_probability(model, features), rows, target, seed
    )
    known = dataset.features[dataset.split.known]
    return tuple(
        describe(column, known[:, index], importance[index])
        for index, column in enumerate(dataset.columns)
    )


def _importance_rows(dataset: Dataset, seed: int) -> tuple[Floats, Labels]:
    """All holdout rows, or all frauds and as many others as make up _IMPORTANCE_ROWS."""
    features = dataset.features[dataset.split.holdout]
    target = dataset.target[dataset.split.holdout]
    frauds, others = np.flatnonzero(target == 1), np.flatnonzero(target == 0)
    wanted = max(_IMPORTANCE_ROWS - frauds.size, 1)
    if others.size > wanted:
        others = np.random.default_rng(seed).choice(others, wanted, replace=False)
    chosen = np.sort(np.concatenate([frauds, others]))
    return features[chosen], target[chosen]


def _value_band(dataset: Dataset) -> ValueBand | None:
    """High is the upper tenth of the known rows' values, to two digits."""
    names = [column.name for column in dataset.columns]
    if dataset.value_column is None:
        return None
    values = dataset.features[dataset.split.known][:, names.index(dataset.value_column)]
    bound = float(f"{np.nanquantile(values, _HIGH_VALUE_QUANTILE):.1e}")
    return ValueBand(dataset.value_column, bound)


def _summary(dataset: Dataset) -> DataSummary:
    return DataSummary(
        source=dataset.source,
        sha256=dataset.sha256,
        rows=len(dataset),
        frauds=int(dataset.target.sum()),
        training_rows=dataset.split.known.stop,
        target=dataset.target_name,
        notes=dataset.notes,
    )


def _libraries() -> dict[str, str]:
    return {
        "python": platform.python_version(),
        "numpy": np.__version__,
        "scikit-learn": sklearn.__version__,
        "onnx": onnx.__version__,
        "onnxruntime": onnxruntime.__version__,
    }


def _write_files(model: Model, folder: Path, features: Floats) -> float:
    """Write the three model files; the largest difference of the ONNX file's scores."""
    joblib.dump(model, folder / MODEL_FILE, compress=3)
    joblib.dump(parts(model)[0]["scaler"], folder / SCALER_FILE, compress=3)
    onnx_file = onnx_bytes(model)
    (folder / ONNX_FILE).write_bytes(onnx_file)
    return check_parity(onnx_file, features, fraud_probability(model, features))


def _write_for_people(folder: Path, card: Card, dataset: Dataset, model: Model) -> None:
    """MODEL_CARD.md and its pictures; they follow from the rest, so the card names no hash."""
    holdout = dataset.split.holdout
    scores = fraud_probability(model, dataset.features[holdout])
    draw(folder, card, dataset.target[holdout], scores)
    (folder / MODEL_CARD_FILE).write_text(model_card(card), encoding="utf-8")


def _with_files(card: Card, folder: Path) -> Card:
    hashes = {path.name: sha256_of(path) for path in sorted(folder.iterdir())}
    return msgspec.structs.replace(card, files=hashes)
