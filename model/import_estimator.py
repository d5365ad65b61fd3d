"""A fitted scikit-learn model made elsewhere: converted, proved equal, published.

Whatever of it runs here (its predict_proba, a converter) runs with a time limit.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from model.data.dataset import Column, Dataset, Floats
from model.foreign_model import ForeignModel
from model.foreign_scores import Limited, Scored, predict, score_probes, score_sample
from model.onnx.convert import Converted, convert
from model.onnx.errors import NotConverted, OutOfTime
from model.onnx.inspection import find_integer_categories
from model.onnx.parity import run_onnx
from model.onnx.time_limit import DEFAULT_SECONDS, run_limited
from model.registry.publication import FinishedModel, Progress, Publication, publish
from model.registry.writer import RegistryWriter
from model.serving.errors import ModelError
from model.serving.estimator import find_fraud_column
from model.training.threshold import CostRule, Rule, choose_threshold


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

    def limited(function: Callable[[], Any], what: str) -> Any:
        return run_limited(function, time_limit, what, progress)

    with threadpool_limits(limits=1):
        dataset = _prepare_dataset(dataset, foreign)
        scored = score_sample(foreign, dataset, limited)
        dataset, rows, probability = score_probes(foreign, dataset, scored, limited)
        progress(f"converting {foreign.model_type}; {len(rows):,} rows will prove it")
        make = partial(_convert, foreign, dataset, rows, probability, limited)
        converted, note = _convert_or_keep(make, allow_joblib, progress)
        dataset = replace(dataset, notes=(*dataset.notes, note))
        finished = _finish(foreign, dataset, scored, converted, rule or CostRule(), limited)
        return publish(dataset, finished, registry, seed=seed, began=began, progress=progress)


def _finish(
    foreign: ForeignModel,
    dataset: Dataset,
    scored: Scored,
    converted: Converted | None,
    rule: Rule,
    limited: Limited,
) -> FinishedModel:
    """What is published; the threshold is chosen from the scores of what is served."""
    ask = _choose_predictor(foreign, dataset, scored, converted, limited)
    served = scored.probability if converted is None else ask(dataset.features)
    return FinishedModel(
        predict=ask,
        onnx=None if converted is None else converted.onnx,
        joblibs=foreign.files,
        model_type=foreign.model_type,
        threshold=choose_threshold(rule, dataset.target, served),
        rule=f"on the sample it was imported with: {rule}",
        rows_as=scored.rows_as if converted is None else None,
        fraud_class=foreign.fraud_class if converted is None else None,
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


def _convert(
    foreign: ForeignModel, dataset: Dataset, rows: Floats, probability: Floats, limited: Limited
) -> Converted:
    column = find_fraud_column(np.asarray(foreign.whole.classes_).tolist(), foreign.fraud_class)
    make = partial(convert, foreign.whole, dataset.columns, column == 1, rows, probability)
    converted: Converted = limited(make, f"converting {foreign.model_type}")
    return converted


def _convert_or_keep(
    make: Callable[[], Converted], allow_joblib: bool, progress: Progress
) -> tuple[Converted | None, str]:
    """The ONNX file, or None where only joblib is left and allowed; and a note on how or why."""
    try:
        made = make()
    except (NotConverted, OutOfTime) as error:
        if not allow_joblib:
            raise NotConverted(
                f"{error}; --allow-joblib publishes it all the same, at a price: it is served only"
                " where ALLOW_JOBLIB=true, by scikit-learn, and loading it runs whatever is in its"
                " file"
            ) from error
        progress(f"{error}: it will be served from joblib")
        return None, str(error)
    note = f"converted to ONNX by {made.way}"
    progress(f"{note}: largest difference to scikit-learn {made.difference:.1e}")
    return made, note


def _choose_predictor(
    foreign: ForeignModel,
    dataset: Dataset,
    scored: Scored,
    converted: Converted | None,
    limited: Limited,
) -> Callable[[Floats], Floats]:
    """What is served: the ONNX file, proved equal, or the model itself within its time limit."""
    if converted is not None:
        return partial(run_onnx, converted.onnx)
    ask = partial(predict, foreign, dataset.columns, scored.rows_as)

    def predict_limited(features: Floats) -> Floats:
        scores: Floats = limited(partial(ask, features), f"predict_proba of {foreign.model_type}")
        return scores

    return predict_limited
