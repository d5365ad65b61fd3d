"""A fitted scikit-learn model made elsewhere: converted, checked on a sample, published."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import sklearn
from sklearn.pipeline import Pipeline
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from model.data.dataset import Dataset, Floats
from model.onnx.convert import convert
from model.registry.publication import FinishedModel, Progress, Publication, publish
from model.registry.writer import RegistryWriter
from model.serving.card import MODEL_FILE, SCALER_FILE, RowsAs
from model.serving.errors import ModelError, NotConverted, first_line
from model.serving.estimator import Estimator, prepend_scaler
from model.serving.unpickling import Unpickled, unpickle
from model.training.threshold import CostRule, Rule, choose_threshold


@dataclass(frozen=True)
class _Source:
    """A joblib file as it is, and what was in it."""

    data: bytes
    loaded: Unpickled


@dataclass(frozen=True)
class _ScoredSample:
    """The model as it is asked, how it takes its rows, and its scores of the sample."""

    estimator: Estimator
    rows_as: RowsAs
    probability: Floats


def import_model(
    model_path: Path,
    scaler_path: Path | None,
    dataset: Dataset,
    registry: RegistryWriter,
    *,
    seed: int,
    rule: Rule | None = None,
    allow_joblib: bool = False,
    progress: Progress = lambda line: None,
) -> Publication:
    """Publish the model of a joblib file with a card made from `dataset`, read as a whole.

    Loading a joblib file runs whatever its maker put into it. The figures are those of the sample;
    whether the model was fitted to it cannot be known, and the card says so. What cannot be
    converted is refused, or with `allow_joblib` published to be served from joblib.
    """
    began = time.time()
    rule = rule or CostRule()
    with threadpool_limits(limits=1):
        sources = _read_sources(model_path, scaler_path)
        model, *scalers = [source.loaded.object for source in sources.values()]
        whole = prepend_scaler(model, scalers[0] if scalers else None)
        _check_classifier(whole, model_path)
        dataset = _order_columns(dataset, whole, model_path, _note_versions(sources))
        asked = _score_sample(whole, dataset, model_path)
        progress(f"converting {type(model).__name__}")
        onnx, notes = _convert(whole, dataset, asked.probability, allow_joblib, progress)
        finished = FinishedModel(
            predict=asked.estimator.probabilities,
            onnx=onnx,
            joblibs={name: source.data for name, source in sources.items()},
            model_type=_name_type(model),
            threshold=choose_threshold(rule, dataset.target, asked.probability),
            rule=f"on the sample it was imported with: {rule}",
            rows_as=asked.rows_as if onnx is None else None,
        )
        dataset = replace(dataset, notes=(*dataset.notes, *notes))
        return publish(dataset, finished, registry, seed=seed, began=began, progress=progress)


def _read_sources(model_path: Path, scaler_path: Path | None) -> dict[str, _Source]:
    """The joblib files by the names that they are published under, the model's first."""
    paths = {MODEL_FILE: model_path}
    if scaler_path is not None:
        paths[SCALER_FILE] = scaler_path
    return {name: _read_joblib(path) for name, path in paths.items()}


def _read_joblib(path: Path) -> _Source:
    try:
        data = path.read_bytes()
    except FileNotFoundError as error:
        raise ModelError(f"there is no file {path}") from error
    except OSError as error:
        raise ModelError(f"{path} cannot be read: {error.strerror}") from error
    return _Source(data, unpickle(data, str(path)))


def _note_versions(sources: dict[str, _Source]) -> tuple[str, ...]:
    other = sorted(frozenset().union(*(one.loaded.other_versions for one in sources.values())))
    if not other:
        return ()
    return (
        f"it was fitted with scikit-learn {', '.join(other)} and imported with"
        f" {sklearn.__version__}, which does not promise the same scores",
    )


def _convert(
    model: Any, dataset: Dataset, probability: Floats, allow_joblib: bool, progress: Progress
) -> tuple[bytes | None, tuple[str, ...]]:
    """The ONNX file, or None where only joblib is left and allowed; and a note on how or why."""
    by_name = _takes_table(model)
    try:
        made = convert(model, dataset.columns, by_name, dataset.features, probability)
    except NotConverted as error:
        if not allow_joblib:
            raise NotConverted(
                f"{error}; --allow-joblib publishes it all the same, at a price: it is served only"
                " where ALLOW_JOBLIB=true, by scikit-learn, and loading it runs whatever is in its"
                " file"
            ) from error
        progress(f"{error}: it will be served from joblib")
        return None, (str(error),)
    note = f"converted to ONNX by {made.way}"
    progress(note)
    return made.onnx, (note,)


def _check_classifier(model: Any, path: Path) -> None:
    if not hasattr(model, "predict_proba"):
        raise ModelError(
            f"{path} holds a {_name_type(model)} that gives no probabilities (no predict_proba);"
            " wrap it in CalibratedClassifierCV, or fit it with probabilities"
        )
    classes = np.asarray(getattr(model, "classes_", [])).tolist()
    if len(classes) != 2 or not set(classes) <= {0, 1}:
        raise ModelError(f"{path} must tell 0 (legitimate) from 1 (fraud); its classes: {classes}")


def _order_columns(dataset: Dataset, model: Any, path: Path, notes: tuple[str, ...]) -> Dataset:
    """The dataset with the model's columns in the model's order, and `notes` after its own."""
    names = [column.name for column in dataset.columns]
    wanted = [str(name) for name in getattr(model, "feature_names_in_", names)]
    missing = [name for name in wanted if name not in names]
    if missing:
        raise ModelError(f"the sample has no column '{missing[0]}', which {path} was fitted on")
    count = getattr(model, "n_features_in_", len(wanted))
    if count != len(wanted):
        raise ModelError(
            f"{path} was fitted on {count} features without names, the sample has {len(wanted)}:"
            f" {', '.join(wanted)}; leave the others out with --drop"
        )
    order = [names.index(name) for name in wanted]
    value = dataset.value_column if dataset.value_column in wanted else None
    types = dataset.user_types
    return replace(
        dataset,
        columns=tuple(dataset.columns[index] for index in order),
        features=dataset.features[:, order],
        value_column=value,
        user_types=types if types is not None and types.feature in wanted else None,
        notes=(
            *dataset.notes,
            "an imported model: the figures are those of its sample, which it may have been"
            " fitted to",
            *notes,
        ),
    )


def _takes_table(model: Any) -> bool:
    """A model that was fitted on a data frame and picks its columns itself."""
    first = model.steps[0][1] if isinstance(model, Pipeline) else model
    return type(first).__name__ == "ColumnTransformer" and hasattr(model, "feature_names_in_")


def _list_row_forms(model: Any) -> tuple[RowsAs, ...]:
    """How the model may take its rows, likeliest first: by the names it was fitted with, if any.

    A model without names is given a table second: its first step may be anybody's own class.
    """
    named = hasattr(model, "feature_names_in_")
    return ("table",) if named else ("matrix", "table")


def _score_sample(model: Any, dataset: Dataset, path: Path) -> _ScoredSample:
    """The first way of asking that the model can answer; else the reason against the likeliest."""
    first = None
    for rows_as in _list_row_forms(model):
        estimator = Estimator(model, dataset.columns, rows_as)
        try:
            return _ScoredSample(estimator, rows_as, estimator.probabilities(dataset.features))
        except Exception as error:  # A model of anybody's own raises anything.
            first = first or error
    assert first is not None
    raise ModelError(f"{path} cannot score the sample: {first_line(first)}") from first


def _name_type(model: Any) -> str:
    """The classifier's own name, inside whatever it is wrapped in."""
    last = model.steps[-1][1] if isinstance(model, Pipeline) else model
    return type(last).__name__
