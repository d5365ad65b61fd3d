"""The ONNX graphs of the models that this project trains, exact to rounding.

Features and thresholds stay in 64 bits, and the scaling is folded into the thresholds: a converter
scales in 32 bits, and a row that then falls on the other side of a split is off by up to 0.02
(seen). No scaling is left to do while serving: one node and a sigmoid remain.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import onnx
from onnx import TensorProto, helper
from onnx.numpy_helper import from_array
from sklearn.compose import ColumnTransformer
from sklearn.preprocessing import StandardScaler

from model.onnx.builder import IR_VERSION
from model.onnx.trees import Tree
from model.serving.scorer import INPUT, OUTPUT

Floats = npt.NDArray[np.float64]

_OPSETS: Final = (("", 17), ("ai.onnx.ml", 3))


@dataclass(frozen=True)
class Graph:
    """Nodes from INPUT to OUTPUT and the constants that they use."""

    nodes: tuple[onnx.NodeProto, ...]
    constants: tuple[onnx.TensorProto, ...]


def apply_calibration(
    trees: list[Tree], base: float, slope: float, shift: float
) -> tuple[list[Tree], float]:
    """Trees and base whose sum is slope times the sum of these plus shift."""
    return [replace(tree, value=slope * tree.value) for tree in trees], slope * base + shift


def fold_scaler(tree: Tree, scaler: StandardScaler, *, single: bool) -> Tree:
    """The same tree for features that were not scaled.

    Each threshold becomes the largest float whose scaled value still goes left, so no row changes
    its branch. `single`: the trees see scaled values rounded to 32 bits, as a forest does.
    """
    # A split of the missing from all others has an infinite threshold, which scaling leaves alone.
    inner = ~tree.is_leaf & np.isfinite(tree.threshold)
    mean, spread = scaler.mean_[tree.feature[inner]], scaler.scale_[tree.feature[inner]]

    def scale(values: Floats) -> Floats:
        result: Floats = (values - mean) / spread
        return result.astype(np.float32).astype(np.float64) if single else result

    threshold = tree.threshold.copy()
    guess = threshold[inner] * spread + mean
    reach = 1e-6 * (np.abs(threshold[inner]) * spread + np.abs(mean) + spread)
    threshold[inner] = _find_largest(scale, threshold[inner], guess - reach, guess + reach)
    return replace(tree, threshold=threshold)


def build_tree_graph(
    trees: Sequence[Tree], base: float, *, logistic: bool, source: str = INPUT
) -> Graph:
    """Base plus the leaves that the rows of `source` reach; `logistic`: its logistic function.

    As a node of its own: ONNX Runtime ignores the regressor's `post_transform` (seen in 1.32).
    """
    trees_out = "logit" if logistic else OUTPUT
    node = helper.make_node(
        "TreeEnsembleRegressor",
        [source],
        [trees_out],
        domain="ai.onnx.ml",
        n_targets=1,
        aggregate_function="SUM",
        base_values_as_tensor=from_array(np.array([base]), "base_values"),
        **_make_attributes(trees),
    )
    sigmoid = helper.make_node("Sigmoid", ["logit"], [OUTPUT])
    return Graph((node, sigmoid) if logistic else (node,), ())


@dataclass(frozen=True)
class Weights:
    """A logit that adds up columns: numbers by a weight, categories by a weight per index.

    `fill` (columns) stands for missing values; -1 is no category's index. `numbers` (columns) is 0
    at the categories.
    """

    fill: Floats
    numbers: Floats
    categories: dict[int, Floats]
    intercept: float


def build_linear_graph(weights: Weights) -> Graph:
    """The logistic function of the weighted columns, in 64 bits."""
    nodes = [
        helper.make_node("IsNaN", [INPUT], ["missing"]),
        helper.make_node("Where", ["missing", "fill", INPUT], ["filled"]),
        helper.make_node("Gemm", ["filled", "weights", "intercept"], ["logit"]),
    ]
    constants = {
        "fill": weights.fill,
        "weights": weights.numbers.reshape(-1, 1),
        "intercept": np.array([weights.intercept]),
    }
    logit = "logit"
    for column, own in weights.categories.items():
        part, sum_name = _make_category_nodes(column, logit)
        nodes.extend(part)
        constants[f"codes_{column}"] = np.arange(own.size, dtype=np.float64)
        constants[f"weights_{column}"] = own.reshape(-1, 1)
        constants[f"column_{column}"] = np.array([column], dtype=np.int64)
        logit = sum_name
    nodes.append(helper.make_node("Sigmoid", [logit], ["wide"]))
    nodes.append(helper.make_node("Cast", ["wide"], [OUTPUT], to=TensorProto.FLOAT))
    return Graph(tuple(nodes), tuple(from_array(item, name) for name, item in constants.items()))


def read_scaled_weights(scaler: StandardScaler, weights: Floats, intercept: float) -> Weights:
    """For unscaled columns what `weights` are for the scaler's; none of them may be missing."""
    own = weights / scaler.scale_
    return Weights(np.zeros(own.size), own, {}, float(intercept - own @ scaler.mean_))


def read_mixed_weights(scaler: ColumnTransformer, weights: Floats, intercept: float) -> Weights:
    """For raw columns what `weights` are for the outputs of candidates.py's mixed scaler."""
    (_, filled, numbers), (_, encoder, categories) = scaler.transformers_[:2]
    scale = filled["scale"]
    fill = np.full(scaler.n_features_in_, -1.0)
    fill[numbers] = filled["median"].statistics_
    own = np.zeros(scaler.n_features_in_)
    own[numbers] = weights[: len(numbers)] / scale.scale_
    sizes = [codes.size for codes in encoder.categories_] if categories else []
    cuts = np.cumsum([len(numbers), *sizes])
    each = {
        column: weights[start:stop]
        for column, start, stop in zip(categories, cuts, cuts[1:], strict=False)
    }
    return Weights(fill, own, each, float(intercept - own[numbers] @ scale.mean_))


def assemble(parts: Graph, columns: int) -> bytes:
    """The checked model file: INPUT (n, columns) 64-bit floats, OUTPUT (n, 1) 32-bit floats."""
    graph = helper.make_graph(
        parts.nodes,
        "fraud",
        [helper.make_tensor_value_info(INPUT, TensorProto.DOUBLE, [None, columns])],
        [helper.make_tensor_value_info(OUTPUT, TensorProto.FLOAT, [None, 1])],
        parts.constants,
    )
    opsets = [helper.make_opsetid(domain, version) for domain, version in _OPSETS]
    model = helper.make_model(graph, opset_imports=opsets, ir_version=IR_VERSION)
    onnx.checker.check_model(model)
    data: bytes = model.SerializeToString(deterministic=True)
    return data


def _make_category_nodes(column: int, logit: str) -> tuple[list[onnx.NodeProto], str]:
    """Nodes that add a category's weight to a logit, and the name of the sum."""
    value, same, flags, part, total = (
        f"{name}_{column}" for name in ("value", "same", "flags", "part", "logit")
    )
    nodes = [
        helper.make_node("Gather", ["filled", f"column_{column}"], [value], axis=1),
        helper.make_node("Equal", [value, f"codes_{column}"], [same]),
        helper.make_node("Cast", [same], [flags], to=TensorProto.DOUBLE),
        helper.make_node("MatMul", [flags, f"weights_{column}"], [part]),
        helper.make_node("Add", [logit, part], [total]),
    ]
    return nodes, total


def _find_largest(
    function: Callable[[Floats], Floats], bound: Floats, low: Floats, high: Floats
) -> Floats:
    """Largest x with function(x) <= bound, elementwise, for a rising function; by bisection."""
    if not (np.all(function(low) <= bound) and np.all(function(high) > bound)):
        raise ValueError("the bracket does not hold the threshold")
    while True:
        middle = low + (high - low) / 2
        if np.all((middle <= low) | (middle >= high)):
            return low
        below = function(middle) <= bound
        low, high = np.where(below, middle, low), np.where(below, high, middle)


def _make_attributes(trees: Sequence[Tree]) -> dict[str, Any]:
    sizes = [tree.left.size for tree in trees]
    tree_ids = np.repeat(np.arange(len(trees)), sizes)
    node_ids = np.concatenate([np.arange(size) for size in sizes])
    leaf = np.concatenate([tree.is_leaf for tree in trees])
    values = np.concatenate([tree.value for tree in trees])
    thresholds = np.concatenate([tree.threshold for tree in trees])
    missing = np.concatenate([tree.missing_left for tree in trees])
    return {
        "nodes_treeids": tree_ids,
        "nodes_nodeids": node_ids,
        "nodes_featureids": np.concatenate([tree.feature for tree in trees]),
        "nodes_modes": np.where(leaf, "LEAF", "BRANCH_LEQ").tolist(),
        "nodes_values_as_tensor": from_array(thresholds, "nodes_values"),
        "nodes_truenodeids": np.concatenate([tree.left for tree in trees]),
        "nodes_falsenodeids": np.concatenate([tree.right for tree in trees]),
        "nodes_missing_value_tracks_true": missing.astype(np.int64),
        "target_treeids": tree_ids[leaf],
        "target_nodeids": node_ids[leaf],
        "target_ids": np.zeros(int(leaf.sum()), dtype=np.int64),
        "target_weights_as_tensor": from_array(values[leaf], "target_weights"),
    }
