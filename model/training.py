"""From a dataset to a published model."""

from __future__ import annotations

import platform
import tempfile
import time
from collections.abc import Callable
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

from model.candidates import CANDIDATES
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
from model.dataset import Dataset, Floats
from model.describe import describe, number_baseline, permutation_importance
from model.errors import ModelError
from model.export import check_parity, onnx_bytes
from model.metrics import measure
from model.registry import Published, Registry
from model.split import Split, time_split
from model.threshold import CostRule

# Probabilities are calibrated, so these read: one in ten, every second one.
RISK_LEVELS: Final = RiskLevels(medium=0.1, high=0.5)
MODEL_FILE: Final = "model.joblib"
SCALER_FILE: Final = "scaler.joblib"
_HIGH_VALUE_QUANTILE: Final = 0.9

Progress = Callable[[str], None]


@dataclass(frozen=True)
class Publication:
    """What a training led to; `is_new` is False where the same content was published before."""

    version: str
    card: Card
    is_new: bool
    parity: float


def train(
    dataset: Dataset,
    registry: Registry,
    *,
    seed: int,
    rule: CostRule | None = None,
    progress: Progress = lambda line: None,
) -> Publication:
    """Train, judge on the holdout, publish and make champion. Same dataset and seed, same bytes."""
    began = time.time()
    rule = rule or CostRule()
    # One thread: two per process, in several processes, are fifty times slower; and sums that are
    # split among threads would differ between machines.
    with threadpool_limits(limits=1):
        split = time_split(_times(dataset))
        _check_classes(dataset, split)
        pipeline, threshold = _fit(dataset, split, rule, seed, progress)
        progress("judging on the holdout")
        card = _card(dataset, split, pipeline, threshold, str(rule), seed)
        with tempfile.TemporaryDirectory() as folder:
            parity = _write_files(pipeline, Path(folder), dataset.features[split.holdout])
            progress(f"ONNX file checked: largest difference to scikit-learn {parity:.1e}")
            card = _with_files(card, Path(folder))
            existing = registry.same_content(card)
            published = Published(trained_at=began, training_seconds=time.time() - began)
            version = registry.publish(card, Path(folder), published)
    if not existing:
        registry.promote(version)
    return Publication(version, registry.card(version), existing is None, parity)


def _times(dataset: Dataset) -> Floats:
    return np.arange(len(dataset), dtype=np.float64) if dataset.time is None else dataset.time


def _check_classes(dataset: Dataset, split: Split) -> None:
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
    dataset: Dataset, split: Split, rule: CostRule, seed: int, progress: Progress
) -> tuple[Pipeline, float]:
    """Threshold from a fit to the training rows, then the same model fitted to all known rows."""
    progress(f"training on {split.training.stop:,} rows")
    make = CANDIDATES["boosting"]
    trial = make(seed).fit(dataset.features[split.training], dataset.target[split.training])
    probability = trial.predict_proba(dataset.features[split.validation])[:, 1]
    threshold = rule.threshold(dataset.target[split.validation], probability)
    progress(f"training on all {split.known.stop:,} known rows")
    fitted = make(seed).fit(dataset.features[split.known], dataset.target[split.known])
    return fitted, threshold


def _card(
    dataset: Dataset,
    split: Split,
    pipeline: Pipeline,
    threshold: float,
    rule: str,
    seed: int,
) -> Card:
    scores = pipeline.predict_proba(dataset.features[split.holdout])[:, 1]
    return Card(
        schema=SCHEMA,
        version="",
        model_type=type(pipeline["classifier"]).__name__,
        features=_features(dataset, split, pipeline, seed),
        threshold=threshold,
        threshold_rule=rule,
        risk_levels=RISK_LEVELS,
        metrics=measure(dataset.target[split.holdout], scores, threshold),
        data=_summary(dataset, split),
        seed=seed,
        score_baseline=number_baseline(scores),
        libraries=_libraries(),
        files={},
        user_types=dataset.user_types,
        value_band=_value_band(dataset, split),
    )


def _features(dataset: Dataset, split: Split, pipeline: Pipeline, seed: int) -> tuple[Feature, ...]:
    def predict(features: Floats) -> Floats:
        probability: Floats = pipeline.predict_proba(features)[:, 1]
        return probability

    importance = permutation_importance(
        predict, dataset.features[split.holdout], dataset.target[split.holdout], seed
    )
    known = dataset.features[split.known]
    return tuple(
        describe(column, known[:, index], importance[index])
        for index, column in enumerate(dataset.columns)
    )


def _value_band(dataset: Dataset, split: Split) -> ValueBand | None:
    """High is the upper tenth of the known rows' values, to two digits."""
    names = [column.name for column in dataset.columns]
    if dataset.value_column is None:
        return None
    values = dataset.features[split.known][:, names.index(dataset.value_column)]
    bound = float(f"{np.nanquantile(values, _HIGH_VALUE_QUANTILE):.1e}")
    return ValueBand(dataset.value_column, bound)


def _summary(dataset: Dataset, split: Split) -> DataSummary:
    return DataSummary(
        source=dataset.source,
        sha256=dataset.sha256,
        rows=len(dataset),
        frauds=int(dataset.target.sum()),
        training_rows=split.known.stop,
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


def _write_files(pipeline: Pipeline, folder: Path, features: Floats) -> float:
    """Write the three model files; the largest difference of the ONNX file's scores."""
    joblib.dump(pipeline, folder / MODEL_FILE, compress=3)
    joblib.dump(pipeline["scaler"], folder / SCALER_FILE, compress=3)
    model = onnx_bytes(pipeline)
    (folder / ONNX_FILE).write_bytes(model)
    return check_parity(model, features, pipeline.predict_proba(features)[:, 1])


def _with_files(card: Card, folder: Path) -> Card:
    hashes = {path.name: sha256_of(path) for path in sorted(folder.iterdir())}
    return msgspec.structs.replace(card, files=hashes)
