"""Looking into a fitted scikit-learn model: what it is wrapped in, what it is made of."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from sklearn.compose import ColumnTransformer
from sklearn.pipeline import Pipeline

from model.data.dataset import Floats


def unwrap(model: Any) -> Any:
    """The model that a search (GridSearchCV …) or a chooser of thresholds has settled on."""
    while True:
        if hasattr(model, "best_estimator_"):
            model = model.best_estimator_
        elif type(model).__name__ in ("TunedThresholdClassifierCV", "FixedThresholdClassifier"):
            model = model.estimator_
        else:
            return model


def name_type(model: Any) -> str:
    """The classifier's own name, inside whatever it is wrapped in."""
    model = unwrap(model)
    while isinstance(model, Pipeline):
        model = unwrap(model.steps[-1][1])
    return type(model).__name__


def walk(model: Any, depth: int = 0) -> Iterator[Any]:
    """The model and all fitted estimators inside it, to a sensible depth."""
    yield model
    if depth > 8 or not hasattr(model, "__dict__"):
        return
    for value in vars(model).values():
        for inner in _flatten(value):
            yield from walk(inner, depth + 1)


def holds_trees(model: Any) -> bool:
    """True where scikit-learn's trees are inside, whose branches only exact graphs keep."""
    return any(hasattr(one, "tree_") or hasattr(one, "_predictors") for one in walk(model))


def find_thresholds(model: Any) -> Floats:
    """All thresholds of the trees inside, whatever column and scale they are of; ascending."""
    found = [np.zeros(0)]
    for one in walk(model):
        if hasattr(one, "tree_"):
            found.append(one.tree_.threshold[one.tree_.children_left >= 0])
        for stage in getattr(one, "_predictors", []):
            found.extend(tree.nodes["num_threshold"] for tree in stage)
    thresholds = np.unique(np.concatenate(found))
    finite: Floats = thresholds[np.isfinite(thresholds)]
    return finite


def find_columns_used(model: Any) -> list[str] | None:
    """Names of the columns that the model looks at, in its order; None where it knows no names.

    What its ColumnTransformer drops is left out: it need not even be in the table.
    """
    model = unwrap(model)
    names = getattr(model, "feature_names_in_", None)
    if names is None:
        return None
    first = unwrap(model.steps[0][1]) if isinstance(model, Pipeline) else model
    if type(first) is not ColumnTransformer:
        return [str(name) for name in names]
    used = {
        index
        for name, step, _ in first.transformers_
        if not (isinstance(step, str) and step == "drop")
        for index in first._transformer_to_input_indices[name]
    }
    return [str(name) for index, name in enumerate(names) if index in used]


def find_integer_categories(model: Any) -> dict[str, tuple[list[float], bool]]:
    """By column's name: the numbers that an encoder knows, and whether it refuses all others."""
    model = unwrap(model)
    first = unwrap(model.steps[0][1]) if isinstance(model, Pipeline) else model
    if type(first) is not ColumnTransformer or not hasattr(first, "feature_names_in_"):
        return {}
    found: dict[str, tuple[list[float], bool]] = {}
    for name, step, _ in first.transformers_:
        inner = [one for _, one in step.steps] if isinstance(step, Pipeline) else [step]
        encoder = next((one for one in inner if hasattr(one, "categories_")), None)
        if encoder is None:
            continue
        columns = [
            str(first.feature_names_in_[i]) for i in first._transformer_to_input_indices[name]
        ]
        for column, categories in zip(columns, encoder.categories_, strict=True):
            numbers = [float(one) for one in categories if isinstance(one, int | float | np.number)]
            if len(numbers) == len(categories):
                refuses = getattr(encoder, "handle_unknown", "error") == "error"
                found[column] = (numbers, refuses)
    return found


def _flatten(value: Any) -> Iterator[Any]:
    """Estimators in an attribute: itself, in lists, tuples, arrays and dictionaries of them."""
    if hasattr(value, "get_params") or hasattr(value, "tree_") or hasattr(value, "estimator"):
        yield value
    elif isinstance(value, dict):
        for one in value.values():
            yield from _flatten(one)
    elif isinstance(value, list | tuple):
        for one in value:
            yield from _flatten(one)
    elif isinstance(value, np.ndarray) and value.dtype == object and value.size < 100_000:
        for one in value.ravel():
            yield from _flatten(one)
