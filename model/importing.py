"""A fitted scikit-learn model made elsewhere: converted, checked on a sample, published."""

from __future__ import annotations

import pickle
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pandas as pd
from sklearn.pipeline import Pipeline, make_pipeline
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from model.converting import convert
from model.dataset import Column, Dataset, Floats
from model.errors import ModelError
from model.publication import (
    MODEL_FILE,
    SCALER_FILE,
    Finished,
    Predict,
    Progress,
    Publication,
    publish,
)
from model.registry import Registry
from model.threshold import CostRule, Rule, choose


def import_model(
    model_path: Path,
    scaler_path: Path | None,
    dataset: Dataset,
    registry: Registry,
    *,
    seed: int,
    rule: Rule | None = None,
    progress: Progress = lambda line: None,
) -> Publication:
    """Publish the model of a joblib file with a card made from `dataset`, read as a whole.

    Loading a joblib file runs whatever its maker put into it. The figures are those of the sample;
    whether the model was fitted to it cannot be known, and the card says so.
    """
    began = time.time()
    rule = rule or CostRule()
    with threadpool_limits(limits=1):
        model = load(model_path)
        scaler = None if scaler_path is None else load(scaler_path)
        whole = model if scaler is None else make_pipeline(scaler, model)
        _check_classifier(whole, model_path)
        dataset = _arranged(dataset, whole, model_path)
        by_name = _takes_a_table(whole)
        predict = _predictor(whole, dataset.columns, by_name)
        probability = _first_scores(predict, dataset, model_path)
        progress(f"converting {type(model).__name__}")
        converted = convert(whole, dataset.columns, by_name, dataset.features, probability)
        progress(f"converted by {converted.way}")
        finished = Finished(
            predict=predict,
            onnx=converted.onnx,
            joblibs={MODEL_FILE: model} | ({} if scaler is None else {SCALER_FILE: scaler}),
            model_type=_type_name(model),
            threshold=choose(rule, dataset.target, probability),
            rule=f"on the sample it was imported with: {rule}",
        )
        return publish(dataset, finished, registry, seed=seed, began=began, progress=progress)


def load(path: Path) -> Any:
    """The object in a joblib file, or a ModelError."""
    if not path.is_file():
        raise ModelError(f"there is no file {path}")
    try:
        return joblib.load(path)
    except (
        pickle.UnpicklingError,
        EOFError,
        ValueError,
        KeyError,
        AttributeError,
        ImportError,
        IndexError,
        TypeError,
        OSError,
    ) as error:
        raise ModelError(f"{path} cannot be loaded as a joblib file: {error}") from error


def _check_classifier(model: Any, path: Path) -> None:
    if not hasattr(model, "predict_proba"):
        raise ModelError(
            f"{path} holds a {_type_name(model)} that gives no probabilities (no predict_proba);"
            " wrap it in CalibratedClassifierCV, or fit it with probabilities"
        )
    classes = np.asarray(getattr(model, "classes_", [])).tolist()
    if len(classes) != 2 or not set(classes) <= {0, 1}:
        raise ModelError(f"{path} must tell 0 (legitimate) from 1 (fraud); its classes: {classes}")


def _arranged(dataset: Dataset, model: Any, path: Path) -> Dataset:
    """The dataset with the model's columns in the model's order."""
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
        ),
    )


def _takes_a_table(model: Any) -> bool:
    """A model that was fitted on a data frame and picks its columns itself."""
    first = model.steps[0][1] if isinstance(model, Pipeline) else model
    return type(first).__name__ == "ColumnTransformer" and hasattr(model, "feature_names_in_")


def _predictor(model: Any, columns: tuple[Column, ...], by_name: bool) -> Predict:
    named = hasattr(model, "feature_names_in_")

    def predict(features: Floats) -> Floats:
        given = _frame(features, columns, decoded=by_name) if named else features
        probability: Floats = model.predict_proba(given)[:, 1]
        return probability

    return predict


def _frame(features: Floats, columns: tuple[Column, ...], *, decoded: bool) -> pd.DataFrame:
    """The rows as a table; `decoded`: categories as their texts."""
    frame = {}
    for index, column in enumerate(columns):
        values: Any = features[:, index]
        if decoded and column.type == "category":
            words = np.array(column.categories, dtype=object)
            values = words[values.astype(np.int64)]
        frame[column.name] = values
    return pd.DataFrame(frame)


def _first_scores(predict: Predict, dataset: Dataset, path: Path) -> Floats:
    try:
        return predict(dataset.features)
    except (ValueError, TypeError, AttributeError, KeyError) as error:
        line = (str(error).splitlines() or [type(error).__name__])[0]
        raise ModelError(f"{path} cannot score the sample: {line}") from error


def _type_name(model: Any) -> str:
    """The classifier's own name, inside whatever it is wrapped in."""
    last = model.steps[-1][1] if isinstance(model, Pipeline) else model
    return type(last).__name__
