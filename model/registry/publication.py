"""From a finished model, trained or imported, to a published version."""

from __future__ import annotations

import platform
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import msgspec
import numpy as np
import onnx
import onnxruntime
import sklearn

from model.data.dataset import Dataset, Floats, Labels
from model.registry.background_sample import encode_background, sample_background
from model.registry.holdout_curves import CURVES_FILE, encode_curves, trace_curves
from model.registry.model_card import MODEL_CARD_FILE, render_model_card
from model.registry.plots import draw_plots
from model.registry.writer import RegistryWriter
from model.serving.background_rows import BACKGROUND_FILE
from model.serving.card import (
    ONNX_FILE,
    SCHEMA,
    Card,
    DataSummary,
    Feature,
    RiskLevels,
    RowsAs,
    ValueBand,
    hash_file,
)
from model.serving.explain import Explainer
from model.serving.registry import Published
from model.training.contributions import measure_contributions
from model.training.describe import count_deciles, describe_feature, measure_importance
from model.training.joint import describe_joint, sample_rows
from model.training.metrics import bootstrap_intervals, measure
from model.training.segments import find_segments, measure_segments

# Probabilities are calibrated, so these read: one in ten, every second one.
RISK_LEVELS: Final = RiskLevels(medium=0.1, high=0.5)
_HIGH_VALUE_QUANTILE: Final = 0.9
_IMPORTANCE_ROWS: Final = 20_000

Predict = Callable[[Floats], Floats]
Progress = Callable[[str], None]


@dataclass(frozen=True)
class Refit:
    """That the served model was fitted once more after judging: to `rows`, while the figures are of
    one that had not seen the holdout, at `judged_threshold`."""

    rows: slice
    judged_threshold: float


@dataclass(frozen=True)
class FinishedModel:
    """A model that is to be published, and how it was chosen.

    `predict` gives the probabilities that are judged, for rows of the dataset's columns; `onnx` is
    the file that is served; `joblibs` the files that are kept for people, by name. Without `onnx`
    these are served, and `rows_as` says how the model takes its rows.
    """

    predict: Predict
    onnx: bytes | None
    joblibs: dict[str, bytes]
    model_type: str
    threshold: float
    rule: str
    candidates: dict[str, float] = field(default_factory=dict)
    calibration: tuple[float, float] | None = None
    rows_as: RowsAs | None = None
    fraud_class: str | None = None
    refit: Refit | None = None

    @property
    def judged_threshold(self) -> float:
        """The threshold that the figures are measured at."""
        return self.threshold if self.refit is None else self.refit.judged_threshold

    def known_rows(self, dataset: Dataset) -> slice:
        """The rows that the served model was fitted to: the baselines are theirs."""
        return dataset.split.known if self.refit is None else self.refit.rows


@dataclass(frozen=True)
class Publication:
    """What a training led to; `is_new` is False where the same content was published before."""

    card: Card
    is_new: bool

    @property
    def version(self) -> str:
        """The version's name."""
        return self.card.version


def publish(
    dataset: Dataset,
    finished: FinishedModel,
    registry: RegistryWriter,
    *,
    seed: int,
    began: float,
    progress: Progress,
) -> Publication:
    """Judge on the holdout, publish and make champion; the ONNX file was checked before.

    `began`: when the training began, Unix seconds. A ModelError leaves nothing behind.
    """
    holdout = dataset.split.holdout
    scores = finished.predict(dataset.features[holdout])
    progress("judging on the holdout")
    card = _build_card(dataset, finished, scores, seed)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        _write_files(folder, dataset, finished, seed)
        card = registry.name_card(_add_hashes(card, folder))
        _write_documents(folder, card, dataset.target[holdout], scores)
        published = Published(trained_at=began, training_seconds=time.time() - began)
        is_new = registry.publish(card, folder, published)
    if is_new:
        registry.promote(card.version)
    return Publication(registry.card(card.version), is_new)


def _build_card(dataset: Dataset, finished: FinishedModel, scores: Floats, seed: int) -> Card:
    holdout, threshold = dataset.split.holdout, finished.judged_threshold
    features, target = dataset.features[holdout], dataset.target[holdout]
    known = finished.known_rows(dataset)
    value_band = _choose_value_band(dataset, known)
    sample = sample_rows(dataset.features[known], seed)
    masks = find_segments(dataset.columns, features, dataset.user_types, value_band)
    return Card(
        schema=SCHEMA,
        version="",
        model_type=finished.model_type,
        features=_describe_features(dataset, finished.predict, known, seed),
        threshold=finished.threshold,
        threshold_rule=finished.rule,
        risk_levels=RISK_LEVELS,
        metrics=measure(target, scores, threshold),
        intervals=bootstrap_intervals(target, scores, threshold, seed),
        segments=measure_segments(masks, target, scores, threshold),
        candidates=finished.candidates,
        calibration=finished.calibration,
        data=_summarise_data(dataset, finished.refit),
        seed=seed,
        # Rounded: sums of many trees differ in their last digits.
        score_baseline=count_deciles(scores.round(9)),
        libraries=_list_libraries(),
        files={},
        user_types=dataset.user_types,
        value_band=value_band,
        format="joblib" if finished.onnx is None else "onnx",
        rows_as=finished.rows_as,
        fraud_class=finished.fraud_class,
        joint=describe_joint(dataset.columns, sample, finished.predict(sample), seed),
    )


def _describe_features(
    dataset: Dataset, predict: Predict, known: slice, seed: int
) -> tuple[Feature, ...]:
    rows, target = _sample_rows(dataset, seed)
    importance = measure_importance(predict, rows, target, seed)
    values = dataset.features[known]
    times = None if dataset.times is None else dataset.times[known]
    background = Explainer(predict, sample_background(values, seed)).background
    holdout = dataset.features[dataset.split.holdout]
    contributions = measure_contributions(predict, holdout, background, seed)
    return tuple(
        describe_feature(column, values[:, index], importance[index], contributions[index], times)
        for index, column in enumerate(dataset.columns)
    )


def _sample_rows(dataset: Dataset, seed: int) -> tuple[Floats, Labels]:
    """All holdout rows, or all frauds and as many others as make up _IMPORTANCE_ROWS."""
    features = dataset.features[dataset.split.holdout]
    target = dataset.target[dataset.split.holdout]
    frauds, others = np.flatnonzero(target == 1), np.flatnonzero(target == 0)
    wanted = max(_IMPORTANCE_ROWS - frauds.size, 1)
    if others.size > wanted:
        others = np.random.default_rng(seed).choice(others, wanted, replace=False)
    chosen = np.sort(np.concatenate([frauds, others]))
    return features[chosen], target[chosen]


def _choose_value_band(dataset: Dataset, known: slice) -> ValueBand | None:
    """High is the upper tenth of the known rows' values, to two digits."""
    names = [column.name for column in dataset.columns]
    if dataset.value_column is None:
        return None
    values = dataset.features[known][:, names.index(dataset.value_column)]
    bound = float(f"{np.nanquantile(values, _HIGH_VALUE_QUANTILE):.1e}")
    return ValueBand(dataset.value_column, bound)


def _summarise_data(dataset: Dataset, refit: Refit | None) -> DataSummary:
    return DataSummary(
        source=dataset.source,
        sha256=dataset.sha256,
        rows=len(dataset),
        frauds=int(dataset.target.sum()),
        training_rows=dataset.split.known.stop,
        target=dataset.target_name,
        notes=dataset.notes,
        refit_rows=None if refit is None else refit.rows.stop - refit.rows.start,
    )


def _list_libraries() -> dict[str, str]:
    return {
        "python": platform.python_version(),
        "numpy": np.__version__,
        "scikit-learn": sklearn.__version__,
        "onnx": onnx.__version__,
        "onnxruntime": onnxruntime.__version__,
    }


def _write_files(folder: Path, dataset: Dataset, finished: FinishedModel, seed: int) -> None:
    if finished.onnx is not None:
        (folder / ONNX_FILE).write_bytes(finished.onnx)
    for name, data in finished.joblibs.items():
        (folder / name).write_bytes(data)
    background = sample_background(dataset.features[finished.known_rows(dataset)], seed)
    (folder / BACKGROUND_FILE).write_bytes(encode_background(background))


def _add_hashes(card: Card, folder: Path) -> Card:
    hashes = {path.name: hash_file(path) for path in sorted(folder.iterdir())}
    return msgspec.structs.replace(card, files=hashes)


def _write_documents(folder: Path, card: Card, target: Labels, scores: Floats) -> None:
    """MODEL_CARD.md, its pictures and the report's curves; they follow from the rest, so the card
    names no hash."""
    draw_plots(folder, card, target, scores)
    (folder / CURVES_FILE).write_bytes(encode_curves(trace_curves(target, scores, card.seed)))
    (folder / MODEL_CARD_FILE).write_text(render_model_card(card), encoding="utf-8")
