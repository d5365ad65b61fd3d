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
from model.registry.publication import Finished, Progress, Publication, publish
from model.serving.card import MODEL_FILE, SCALER_FILE, RowsAs
from model.serving.errors import ModelError, NotConverted
from model.serving.estimator import Estimator, joined, ways_of_asking
from model.serving.registry import Registry
from model.serving.unpickling import Unpickled, first_line, unpickle
from model.training.threshold import CostRule, Rule, choose


@dataclass(frozen=True)
class _Source:
    """A joblib file as it is, and what was in it."""

    data: bytes
    loaded: Unpickled


@dataclass(frozen=True)
class _Asked:
    """The model as it is asked, how it takes its rows, and its scores of the sample."""

    estimator: Estimator
    rows_as: RowsAs
    probability: Floats


def import_model(
    model_path: Path,
    scaler_path: Path | None,
    dataset: Dataset,
    registry: Registry,
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
        sources = {MODEL_FILE: _read(model_path)}
        if scaler_path is not None:
            sources[SCALER_FILE] = _read(scaler_path)
        model = sources[MODEL_FILE].loaded.object
        scaler = sources[SCALER_FILE].loaded.object if SCALER_FILE in sources else None
        whole = joined(model, scaler)
        _check_classifier(whole, model_path)
        dataset = _arranged(dataset, whole, model_path, _version_notes(sources))
        asked = _asked(whole, dataset, model_path)
        progress(f"converting {type(model).__name__}")
        onnx, notes = _converted(whole, dataset, asked.probability, allow_joblib, progress)
        finished = Finished(
            predict=asked.estimator.probabilities,
            onnx=onnx,
            joblibs={name: source.data for name, source in sources.items()},
            model_type=_type_name(model),
            threshold=choose(rule, dataset.target, asked.probability),
            rule=f"on the sample it was imported with: {rule}",
            rows_as=asked.rows_as if onnx is None else None,
        )
        dataset = replace(dataset, notes=(*dataset.notes, *notes))
        return publish(dataset, finished, registry, seed=seed, began=began, progress=progress)


def _read(path: Path) -> _Source:
    try:
        data = path.read_bytes()
    except FileNotFoundError as error:
        raise ModelError(f"there is no file {path}") from error
    except OSError as error:
        raise ModelError(f"{path} cannot be read: {error.strerror}") from error
    return _Source(data, unpickle(data, str(path)))


def _version_notes(sources: dict[str, _Source]) -> tuple[str, ...]:
    other = sorted(frozenset().union(*(one.loaded.other_versions for one in sources.values())))
    if not other:
        return ()
    return (
        f"it was fitted with scikit-learn {', '.join(other)} and imported with"
        f" {sklearn.__version__}, which does not promise the same scores",
    )


def _converted(
    model: Any, dataset: Dataset, probability: Floats, allow_joblib: bool, progress: Progress
) -> tuple[bytes | None, tuple[str, ...]]:
    """The ONNX file, or None where only joblib is left and allowed; and a note on how or why."""
    by_name = _takes_a_table(model)
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
            f"{path} holds a {_type_name(model)} that gives no probabilities (no predict_proba);"
            " wrap it in CalibratedClassifierCV, or fit it with probabilities"
        )
    classes = np.asarray(getattr(model, "classes_", [])).tolist()
    if len(classes) != 2 or not set(classes) <= {0, 1}:
        raise ModelError(f"{path} must tell 0 (legitimate) from 1 (fraud); its classes: {classes}")


def _arranged(dataset: Dataset, model: Any, path: Path, notes: tuple[str, ...]) -> Dataset:
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


def _takes_a_table(model: Any) -> bool:
    """A model that was fitted on a data frame and picks its columns itself."""
    first = model.steps[0][1] if isinstance(model, Pipeline) else model
    return type(first).__name__ == "ColumnTransformer" and hasattr(model, "feature_names_in_")


def _asked(model: Any, dataset: Dataset, path: Path) -> _Asked:
    """The first way of asking that the model can answer; else the reason against the likeliest."""
    first = None
    for rows_as in ways_of_asking(model):
        estimator = Estimator(model, dataset.columns, rows_as)
        try:
            return _Asked(estimator, rows_as, estimator.probabilities(dataset.features))
        except Exception as error:  # A model of anybody's own raises anything.
            first = first or error
    assert first is not None
    raise ModelError(f"{path} cannot score the sample: {first_line(first)}") from first


def _type_name(model: Any) -> str:
    """The classifier's own name, inside whatever it is wrapped in."""
    last = model.steps[-1][1] if isinstance(model, Pipeline) else model
    return type(last).__name__
