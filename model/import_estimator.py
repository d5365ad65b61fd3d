"""A fitted scikit-learn model made elsewhere: converted, proved equal, published.

Whatever of it runs here (its predict_proba, a converter) runs with a time limit.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import sklearn
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from model.data.dataset import Column, Dataset, Floats
from model.onnx.convert import Converted, convert
from model.onnx.inspection import (
    find_columns_used,
    find_integer_categories,
    find_thresholds,
    name_type,
)
from model.onnx.parity import run_onnx
from model.onnx.probes import (
    RefusedValue,
    find_refused_value,
    find_steps,
    format_value,
    make_probes,
)
from model.onnx.time_limit import DEFAULT_SECONDS, OutOfTime, run_limited
from model.registry.publication import FinishedModel, Progress, Publication, publish
from model.registry.writer import RegistryWriter
from model.serving.card import MODEL_FILE, SCALER_FILE, RowsAs
from model.serving.errors import ModelError, NotConverted, first_line
from model.serving.estimator import Estimator, find_fraud_column, prepend_scaler
from model.serving.unpickling import Unpickled, unpickle
from model.training.threshold import CostRule, Rule, choose_threshold

Limited = Callable[[Callable[[], Any], str], Any]


@dataclass(frozen=True)
class ForeignModel:
    """The joblib files as they are, by the names they are published under, and what they make.

    `columns_used`: the names of the columns that the model looks at, None where it knows none.
    """

    path: Path
    files: dict[str, bytes]
    whole: Any
    model_type: str
    fraud_class: str | None
    columns_used: list[str] | None
    notes: tuple[str, ...]


@dataclass(frozen=True)
class _Scored:
    """How the model takes its rows, and its scores of rows."""

    rows_as: RowsAs
    probability: Floats


def read_model(
    model_path: Path, scaler_path: Path | None, fraud_class: str | None = None
) -> ForeignModel:
    """The model of a joblib file, behind its scaler; loading runs whatever its maker put into it.

    `fraud_class`: the label that stands for fraud where the model's classes are not 0 and 1.
    """
    paths = {MODEL_FILE: model_path}
    if scaler_path is not None:
        paths[SCALER_FILE] = scaler_path
    files = {name: _read_file(path) for name, path in paths.items()}
    loaded = [unpickle(files[name], str(path)) for name, path in paths.items()]
    model, *scalers = [one.object for one in loaded]
    whole = prepend_scaler(model, scalers[0] if scalers else None)
    label = _check_classifier(whole, model_path, fraud_class)
    used = find_columns_used(whole)
    return ForeignModel(
        model_path, files, whole, name_type(model), label, used, _note_versions(loaded)
    )


def import_model(
    foreign: ForeignModel,
    dataset: Dataset,
    registry: RegistryWriter,
    *,
    seed: int,
    rule: Rule | None = None,
    allow_joblib: bool = False,
    time_limit: float = DEFAULT_SECONDS,
    progress: Progress = lambda line: None,
) -> Publication:
    """Publish a model with a card made from `dataset`, read as a whole.

    The figures are those of the sample; whether the model was fitted to it cannot be known, and the
    card says so. What cannot be converted is refused, or with `allow_joblib` published to be served
    from joblib.
    """
    began = time.time()
    rule = rule or CostRule()

    def limited(function: Callable[[], Any], what: str) -> Any:
        return run_limited(function, time_limit, what, progress)

    with threadpool_limits(limits=1):
        dataset = _prepare_dataset(dataset, foreign)
        scored = _score_sample(foreign, dataset, limited)
        dataset, rows, probability = _score_probes(foreign, dataset, scored, limited)
        progress(f"converting {foreign.model_type}; {len(rows):,} rows will prove it")
        converted, notes = _convert(
            foreign, dataset, rows, probability, allow_joblib, limited, progress
        )
        predict = _choose_predictor(foreign, dataset, scored, converted, limited)
        served = scored.probability if converted is None else predict(dataset.features)
        finished = FinishedModel(
            predict=predict,
            onnx=None if converted is None else converted.onnx,
            joblibs=foreign.files,
            model_type=foreign.model_type,
            threshold=choose_threshold(rule, dataset.target, served),
            rule=f"on the sample it was imported with: {rule}",
            rows_as=scored.rows_as if converted is None else None,
            fraud_class=foreign.fraud_class if converted is None else None,
        )
        dataset = replace(dataset, notes=(*dataset.notes, *notes))
        return publish(dataset, finished, registry, seed=seed, began=began, progress=progress)


def _read_file(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except FileNotFoundError as error:
        raise ModelError(f"there is no file {path}") from error
    except OSError as error:
        raise ModelError(f"{path} cannot be read: {error.strerror}") from error


def _note_versions(loaded: list[Unpickled]) -> tuple[str, ...]:
    other = sorted(frozenset().union(*(one.other_versions for one in loaded)))
    if not other:
        return ()
    return (
        f"it was fitted with scikit-learn {', '.join(other)} and imported with"
        f" {sklearn.__version__}, which does not promise the same scores",
    )


def _check_classifier(model: Any, path: Path, fraud_class: str | None) -> str | None:
    """The label of fraud as the card keeps it; None where the classes are 0 and 1."""
    if not hasattr(model, "predict_proba"):
        raise ModelError(
            f"{path} holds a {name_type(model)} that gives no probabilities (no predict_proba);"
            " wrap it in CalibratedClassifierCV, or fit it with probabilities"
        )
    classes = np.asarray(getattr(model, "classes_", [])).tolist()
    if len(classes) == 2 and find_fraud_column(classes, None) is not None:
        return None
    if len(classes) == 2 and fraud_class and find_fraud_column(classes, fraud_class) is not None:
        return fraud_class
    raise ModelError(
        f"{path} must tell 0 (legitimate) from 1 (fraud); its classes: {classes}"
        + ("; --positive LABEL names the one that is fraud" if len(classes) == 2 else "")
    )


def _prepare_dataset(dataset: Dataset, foreign: ForeignModel) -> Dataset:
    """The dataset with the model's columns in the model's order, held to what the model knows."""
    names = [column.name for column in dataset.columns]
    wanted = foreign.columns_used or names
    missing = [name for name in wanted if name not in names]
    if missing:
        raise ModelError(
            f"the sample has no column '{missing[0]}', which {foreign.path} was fitted on"
        )
    count = getattr(foreign.whole, "n_features_in_", len(wanted))
    if foreign.columns_used is None and count != len(wanted):
        raise ModelError(
            f"{foreign.path} was fitted on {count} features without names, the sample has"
            f" {len(wanted)}: {', '.join(wanted)}; leave the others out with --drop"
        )
    order = [names.index(name) for name in wanted]
    value = dataset.value_column if dataset.value_column in wanted else None
    types = dataset.user_types
    known = find_integer_categories(foreign.whole)
    columns = tuple(_narrow(dataset.columns[index], known) for index in order)
    return replace(
        dataset,
        columns=columns,
        features=dataset.features[:, order],
        value_column=value,
        user_types=types if types is not None and types.feature in wanted else None,
        notes=(
            *dataset.notes,
            "an imported model: the figures are those of its sample, which it may have been"
            " fitted to",
            *foreign.notes,
        ),
    )


def _narrow(column: Column, known: dict[str, tuple[list[float], bool]]) -> Column:
    """A whole number behind an encoder that refuses what it was not fitted on: no request beyond.

    Only where the encoder knows every number between its least and its largest.
    """
    numbers, refuses = known.get(column.name, ([], False))
    if column.type != "integer" or not refuses or not numbers:
        return column
    low, high = min(numbers), max(numbers)
    if set(numbers) != set(np.arange(low, high + 1).tolist()):
        return column
    return replace(column, minimum=low, maximum=high)


def _score_sample(foreign: ForeignModel, dataset: Dataset, limited: Limited) -> _Scored:
    """By the first form of rows that the model takes; else the reason against the likeliest."""
    first = None
    for rows_as in _list_row_forms(foreign.whole):
        predict = partial(_predict, foreign, dataset.columns, rows_as)
        try:
            score = partial(predict, dataset.features)
            return _Scored(rows_as, limited(score, f"predict_proba of {foreign.model_type}"))
        except OutOfTime:
            raise
        except Exception as error:  # A model of anybody's own raises anything.
            first = first or error
    assert first is not None
    raise ModelError(f"{foreign.path} cannot score the sample: {first_line(first)}") from first


def _list_row_forms(model: Any) -> tuple[RowsAs, ...]:
    """How the model may take its rows, likeliest first: by the names it was fitted with, if any.

    A model without names is given a table second: its first step may be anybody's own class.
    """
    named = hasattr(model, "feature_names_in_")
    return ("table",) if named else ("matrix", "table")


def _predict(
    foreign: ForeignModel, columns: tuple[Column, ...], rows_as: RowsAs, features: Floats
) -> Floats:
    estimator = Estimator(foreign.whole, columns, rows_as, foreign.fraud_class)
    return estimator.probabilities(features)


def _score_probes(
    foreign: ForeignModel, dataset: Dataset, scored: _Scored, limited: Limited
) -> tuple[Dataset, Floats, Floats]:
    """Sample and probes together, with scikit-learn's scores; and the dataset, whose columns are
    held to the sample's range where the model refuses what is beyond."""
    while True:
        score = partial(_score_once, foreign, dataset, scored.rows_as)
        try:
            rows, probability = limited(score, f"predict_proba of {foreign.model_type}")
        except RefusedValue as refused:
            dataset = _hold_to_sample(foreign, dataset, refused)
            continue
        return (
            dataset,
            np.concatenate([dataset.features, rows]),
            np.concatenate([scored.probability, probability]),
        )


def _score_once(foreign: ForeignModel, dataset: Dataset, rows_as: RowsAs) -> tuple[Floats, Floats]:
    columns, features = dataset.columns, dataset.features
    predict = partial(_predict, foreign, columns, rows_as)
    probes = make_probes(columns, features, find_thresholds(foreign.whole))
    try:
        rows = np.concatenate([probes, find_steps(columns, features, predict)])
        return rows, predict(rows)
    except Exception as error:  # A model of anybody's own raises anything.
        refused = find_refused_value(columns, features, predict)
        if refused is not None:
            raise refused from error
        raise ModelError(
            f"{foreign.path} refuses rows that a request may hold: {first_line(error)}"
        ) from error


def _hold_to_sample(foreign: ForeignModel, dataset: Dataset, refused: RefusedValue) -> Dataset:
    """With one column's bounds those of the sample, if that keeps the refused value out."""
    column = dataset.columns[refused.column]
    seen = dataset.features[:, refused.column]
    value = format_value(column, refused.value)
    low, high = float(np.nanmin(seen)), float(np.nanmax(seen))
    beyond = column.type in ("number", "integer") and not low <= refused.value <= high
    if not beyond or np.isnan(refused.value):
        raise ModelError(
            f"{foreign.path} refuses {column.name} = {value}, which a request may hold:"
            f" {refused.reason}; fit it so that it takes such a value (an encoder with"
            " handle_unknown='ignore', an imputer)"
        )
    columns = list(dataset.columns)
    columns[refused.column] = replace(column, minimum=low, maximum=high)
    note = (
        f"column '{column.name}' is held to the sample's {low:g} to {high:g}: the model refuses"
        f" {value} ({refused.reason})"
    )
    return replace(dataset, columns=tuple(columns), notes=(*dataset.notes, note))


def _convert(
    foreign: ForeignModel,
    dataset: Dataset,
    rows: Floats,
    probability: Floats,
    allow_joblib: bool,
    limited: Limited,
    progress: Progress,
) -> tuple[Converted | None, tuple[str, ...]]:
    """The ONNX file, or None where only joblib is left and allowed; and a note on how or why."""
    column = find_fraud_column(np.asarray(foreign.whole.classes_).tolist(), foreign.fraud_class)
    make = partial(convert, foreign.whole, dataset.columns, column == 1, rows, probability)
    try:
        made: Converted = limited(make, f"converting {foreign.model_type}")
    except (NotConverted, OutOfTime) as error:
        if not allow_joblib:
            raise NotConverted(
                f"{error}; --allow-joblib publishes it all the same, at a price: it is served only"
                " where ALLOW_JOBLIB=true, by scikit-learn, and loading it runs whatever is in its"
                " file"
            ) from error
        progress(f"{error}: it will be served from joblib")
        return None, (str(error),)
    note = f"converted to ONNX by {made.way}"
    progress(f"{note}: largest difference to scikit-learn {made.difference:.1e}")
    return made, (note,)


def _choose_predictor(
    foreign: ForeignModel,
    dataset: Dataset,
    scored: _Scored,
    converted: Converted | None,
    limited: Limited,
) -> Callable[[Floats], Floats]:
    """What is served: the ONNX file, proved equal, or the model itself within its time limit."""
    if converted is not None:
        return partial(run_onnx, converted.onnx)
    predict = partial(_predict, foreign, dataset.columns, scored.rows_as)

    def predict_limited(features: Floats) -> Floats:
        scores: Floats = limited(
            partial(predict, features), f"predict_proba of {foreign.model_type}"
        )
        return scores

    return predict_limited
