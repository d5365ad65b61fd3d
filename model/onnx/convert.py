"""A scikit-learn model made elsewhere, as an ONNX file that takes the card's rows.

Tried in this order, until one gives scikit-learn's scores on the sample:

1. the project's own graphs, exact, for logistic regression, random forest and gradient boosting on
   raw or standard-scaled numbers;
2. the project's own trees behind columns that skl2onnx prepares with 64-bit floats;
3. skl2onnx with 64-bit floats;
4. skl2onnx with 32-bit floats.

A converter's model may take one matrix, or a table whose columns it knows by name and type (a
pipeline that was fitted on a data frame). Before it stand nodes that cut the card's row into such
columns, categories as their texts; behind it one that takes the probability of the second class.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import onnx
from onnx import TensorProto, helper
from onnx.numpy_helper import from_array
from skl2onnx import to_onnx
from skl2onnx.common.data_types import (
    DoubleTensorType,
    FloatTensorType,
    StringTensorType,
)
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler

from model.data.dataset import Column, Floats
from model.onnx.export import check_parity, export_onnx
from model.onnx.trees import IR_VERSION, build_tree_graph, read_boosting, read_forest
from model.serving.errors import NotConverted, first_line
from model.serving.scorer import INPUT, OUTPUT

_OPSET: Final = {"": 18, "ai.onnx.ml": 3}
_TREES: Final = (HistGradientBoostingClassifier, RandomForestClassifier)
_NATIVE: Final = (LogisticRegression, *_TREES)


@dataclass(frozen=True)
class Converted:
    """The file, the way that led to it, and its largest difference on the sample."""

    onnx: bytes
    way: str
    difference: float


def convert(
    model: Any, columns: Sequence[Column], by_name: bool, features: Floats, probability: Floats
) -> Converted:
    """The first way whose scores on `features` equal `probability`; else NotConverted with all
    reasons. `by_name`: the model takes a table with these columns, not a matrix."""
    reasons = []
    for way, make in _list_ways(model, columns, by_name):
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # A converter's own, about its own future.
                file = make()
            return Converted(file, way, check_parity(file, features, probability))
        except Exception as error:  # A converter raises whatever it stumbles over.
            reasons.append(f"{way}: {first_line(error)[:200]}")
    raise NotConverted(f"{type(model).__name__} cannot be converted to ONNX ({'; '.join(reasons)})")


def _list_ways(
    model: Any, columns: Sequence[Column], by_name: bool
) -> Iterator[tuple[str, Callable[[], bytes]]]:
    native = None if by_name else _find_native(model)
    if native is not None:
        yield "the project's own graph", lambda: export_onnx(native)
    if isinstance(model, Pipeline) and len(model) > 1 and isinstance(model[-1], _TREES):
        yield "the project's own trees", lambda: _convert_columns_only(model, columns, by_name)
    yield "skl2onnx, 64 bits", lambda: _convert_whole(model, columns, by_name, DoubleTensorType)
    yield "skl2onnx, 32 bits", lambda: _convert_whole(model, columns, by_name, FloatTensorType)


def _find_native(model: Any) -> Pipeline | None:
    """The model as one of this project's pipelines, if it is no more than that."""
    steps = [step for _, step in model.steps] if isinstance(model, Pipeline) else [model]
    if not isinstance(steps[-1], _NATIVE) or len(steps) > 2:
        return None
    scaler = steps[0] if len(steps) == 2 else _make_identity_scaler(steps[-1].n_features_in_)
    if type(scaler) is not StandardScaler or scaler.mean_ is None or scaler.scale_ is None:
        return None
    return Pipeline([("scaler", scaler), ("classifier", steps[-1])])


def _make_identity_scaler(columns: int) -> StandardScaler:
    scaler = StandardScaler()
    scaler.mean_, scaler.scale_, scaler.n_features_in_ = (
        np.zeros(columns),
        np.ones(columns),
        columns,
    )
    return scaler


def _convert_columns_only(model: Pipeline, columns: Sequence[Column], by_name: bool) -> bytes:
    """A converter's 32-bit scaling and thresholds lead rows astray; so only the columns are its."""
    prepared = _run_converter(model[:-1], columns, by_name, DoubleTensorType)
    [rows] = [item.name for item in prepared.graph.output]
    classifier = model[-1]
    boosted = isinstance(classifier, HistGradientBoostingClassifier)
    trees, base = read_boosting(classifier) if boosted else read_forest(classifier)
    # A forest sees its rows rounded to 32 bits; boosting sees them as they are.
    first = TensorProto.DOUBLE if boosted else TensorProto.FLOAT
    own = build_tree_graph(trees, base, logistic=boosted, source="own_rows")
    nodes = [
        helper.make_node("Cast", [rows], ["own_rounded"], to=first),
        helper.make_node("Cast", ["own_rounded"], ["own_rows"], to=TensorProto.DOUBLE),
        *own.nodes,
    ]
    return _wrap(prepared, columns, by_name, TensorProto.DOUBLE, nodes, own.constants)


def _convert_whole(model: Any, columns: Sequence[Column], by_name: bool, floats: Any) -> bytes:
    converted = _run_converter(model, columns, by_name, floats)
    scores = next(item.name for item in converted.graph.output if "probabilit" in item.name)
    nodes = [
        helper.make_node("Gather", [scores, "own_second_class"], ["own_column"], axis=1),
        helper.make_node("Cast", ["own_column"], [OUTPUT], to=TensorProto.FLOAT),
    ]
    constants = [from_array(np.array([1], dtype=np.int64), "own_second_class")]
    kind = TensorProto.DOUBLE if floats is DoubleTensorType else TensorProto.FLOAT
    return _wrap(converted, columns, by_name, kind, nodes, constants)


def _run_converter(
    model: Any, columns: Sequence[Column], by_name: bool, floats: Any
) -> onnx.ModelProto:
    size = [None, 1] if by_name else [None, len(columns)]
    kinds = (
        {column.name: floats(size) for column in columns} if by_name else {"matrix": floats(size)}
    )
    for column in columns:
        if by_name and column.type == "category":
            kinds[column.name] = StringTensorType(size)
    classifies = hasattr(model, "predict_proba")
    converted: onnx.ModelProto = to_onnx(
        model,
        initial_types=list(kinds.items()),
        options={id(model): {"zipmap": False}} if classifies else None,
        target_opset=_OPSET,
    )
    return converted


def _wrap(
    model: onnx.ModelProto,
    columns: Sequence[Column],
    by_name: bool,
    kind: int,
    after: Sequence[onnx.NodeProto],
    own: Sequence[onnx.TensorProto],
) -> bytes:
    """INPUT to the model's own inputs of this `kind`, its results to OUTPUT by `after`."""
    if by_name:
        before, constants = _make_column_nodes(columns, kind)
    else:
        before, constants = [helper.make_node("Cast", [INPUT], ["matrix"], to=kind)], []
    graph = helper.make_graph(
        [*before, *_replace_imputers(model.graph.node), *after],
        "fraud",
        [helper.make_tensor_value_info(INPUT, TensorProto.DOUBLE, [None, len(columns)])],
        [helper.make_tensor_value_info(OUTPUT, TensorProto.FLOAT, [None, 1])],
        [*model.graph.initializer, *constants, *own],
    )
    opsets = {item.domain: item.version for item in model.opset_import} | _OPSET
    imports = [helper.make_opsetid(domain, version) for domain, version in opsets.items()]
    whole = helper.make_model(graph, opset_imports=imports, ir_version=IR_VERSION)
    onnx.checker.check_model(whole)
    data: bytes = whole.SerializeToString(deterministic=True)
    return data


def _replace_imputers(nodes: Sequence[onnx.NodeProto]) -> Iterator[onnx.NodeProto]:
    """ONNX Runtime fills missing values in 32 bits only; the same by nodes that it has in 64."""
    for number, node in enumerate(nodes):
        given = {item.name: helper.get_attribute_value(item) for item in node.attribute}
        if node.op_type != "Imputer" or not np.isnan(given.get("replaced_value_float", 0.0)):
            yield node
            continue
        missing, fill, typed = (f"own_{name}_{number}" for name in ("missing", "fill", "typed"))
        values = from_array(np.array([given["imputed_value_floats"]], dtype=np.float64))
        yield helper.make_node("IsNaN", node.input, [missing])
        yield helper.make_node("Constant", [], [fill], value=values)
        yield helper.make_node("CastLike", [fill, node.input[0]], [typed])
        yield helper.make_node("Where", [missing, typed, node.input[0]], node.output)


def _make_column_nodes(
    columns: Sequence[Column], kind: int
) -> tuple[list[onnx.NodeProto], list[onnx.TensorProto]]:
    """A column of its own for each feature, under the feature's name."""
    nodes, constants = [], []
    for index, column in enumerate(columns):
        place, values = f"own_place_{index}", f"own_values_{index}"
        constants.append(from_array(np.array([index], dtype=np.int64), place))
        nodes.append(helper.make_node("Gather", [INPUT, place], [values], axis=1))
        if column.type == "category":
            codes, texts = f"own_codes_{index}", f"own_texts_{index}"
            constants.append(from_array(np.array(column.categories, dtype=object), texts))
            nodes.append(helper.make_node("Cast", [values], [codes], to=TensorProto.INT64))
            nodes.append(helper.make_node("Gather", [texts, codes], [column.name], axis=0))
        else:
            nodes.append(helper.make_node("Cast", [values], [column.name], to=kind))
    return nodes, constants
