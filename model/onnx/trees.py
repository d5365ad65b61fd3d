"""The ONNX graphs of the models that this project trains, exact to rounding.

Trees are written here and not by a converter because a converter rounds each threshold to 32 bits
and scales the features in 32 bits: a row that then falls on the other side of a split is off by up
to 0.02 (seen). Here features and thresholds stay in 64 bits, and the scaling is folded into the
thresholds, so that every row takes the branches that scikit-learn takes and no scaling is left to
do while serving: one node and a sigmoid remain.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import onnx
from onnx import TensorProto, helper
from onnx.numpy_helper import from_array
from sklearn.compose import ColumnTransformer
from sklearn.dummy import DummyClassifier
from sklearn.ensemble import (
    AdaBoostClassifier,
    GradientBoostingClassifier,
    HistGradientBoostingClassifier,
    RandomForestClassifier,
)
from sklearn.preprocessing import StandardScaler

from model.serving.scorer import INPUT, OUTPUT

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]

IR_VERSION: Final = 8
_EPSILON: Final = float(np.finfo(np.float64).eps)
_OPSETS: Final = (("", 17), ("ai.onnx.ml", 3))


@dataclass(frozen=True)
class Graph:
    """Nodes from INPUT to OUTPUT and the constants that they use."""

    nodes: tuple[onnx.NodeProto, ...]
    constants: tuple[onnx.TensorProto, ...]


@dataclass(frozen=True)
class Tree:
    """A binary tree as arrays, one entry per node, the root first.

    A row goes left where its feature is at most the threshold, or is missing and `missing_left`.
    A leaf is its own left child; `value` counts at leaves only.
    """

    feature: Integers
    threshold: Floats
    left: Integers
    right: Integers
    missing_left: npt.NDArray[np.bool_]
    value: Floats

    @property
    def is_leaf(self) -> npt.NDArray[np.bool_]:
        """True at the leaves."""
        leaf: npt.NDArray[np.bool_] = self.left == np.arange(self.left.size)
        return leaf


def read_boosting(model: HistGradientBoostingClassifier) -> tuple[list[Tree], float]:
    """The trees, whose leaf values add up to the logit, and the logit to begin with."""
    trees = [_read_boosted(stage[0].nodes) for stage in model._predictors]
    return trees, float(model._baseline_prediction.item())


def read_forest(model: RandomForestClassifier) -> tuple[list[Tree], float]:
    """The trees, whose leaf values add up to the probability, and 0."""
    return [
        read_grown_tree(member.tree_, len(model.estimators_)) for member in model.estimators_
    ], 0.0


def read_stages(model: GradientBoostingClassifier) -> tuple[list[Tree], float]:
    """The trees of gradient boosting, whose leaves add up to the logit (with the exponential loss
    to half of it), and the value to begin with."""
    if isinstance(model.init_, str):
        base = 0.0
    elif isinstance(model.init_, DummyClassifier) and model.init_.strategy == "prior":
        prior = np.clip(model.init_.class_prior_[1], _EPSILON, 1 - _EPSILON)
        base = float(np.log(prior / (1 - prior)))
        base = base / 2 if model.loss == "exponential" else base
    else:
        raise ValueError(f"gradient boosting that begins with a {type(model.init_).__name__}")
    stages = [read_grown_tree(stage[0].tree_, 1) for stage in model.estimators_]
    return [replace(tree, value=model.learning_rate * tree.value) for tree in stages], base


def read_votes(model: AdaBoostClassifier) -> list[Tree]:
    """The trees of AdaBoost, whose leaves add up to its decision value, between -2 and 2: a leaf
    votes with twice its member's share of all weights."""
    weights = model.estimator_weights_[: len(model.estimators_)] / model.estimator_weights_.sum()
    trees = []
    for member, weight in zip(model.estimators_, weights, strict=True):
        shares = member.tree_.value[:, 0, :]
        places = np.searchsorted(model.classes_, member.classes_)
        votes = np.where(places[shares.argmax(axis=1)] == 1, 2 * weight, -2 * weight)
        trees.append(replace(read_grown_tree(member.tree_, 1), value=votes))
    return trees


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


def _read_boosted(nodes: npt.NDArray[Any]) -> Tree:
    own = np.arange(len(nodes))
    leaf = nodes["is_leaf"].astype(bool)
    if nodes["is_categorical"].any():
        raise ValueError("splits on sets of categories cannot be written as thresholds")
    return Tree(
        nodes["feature_idx"].astype(np.int64),
        np.where(leaf, 0.0, nodes["num_threshold"]),
        np.where(leaf, own, nodes["left"].astype(np.int64)),
        np.where(leaf, own, nodes["right"].astype(np.int64)),
        nodes["missing_go_to_left"].astype(bool),
        nodes["value"].astype(np.float64),
    )


def read_grown_tree(tree: Any, members: int) -> Tree:
    """One of `members` trees that a forest takes the mean of: leaves hold a share of fraud."""
    own = np.arange(tree.node_count)
    leaf = tree.children_left < 0
    shares = tree.value[:, 0, :]
    value = shares[:, 1] if shares.shape[1] == 2 else shares[:, 0]
    return Tree(
        np.where(leaf, 0, tree.feature).astype(np.int64),
        np.where(leaf, 0.0, tree.threshold),
        np.where(leaf, own, tree.children_left),
        np.where(leaf, own, tree.children_right),
        tree.missing_go_to_left.astype(bool),
        value / members,
    )


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


def make_ensemble_attributes(trees: Sequence[Tree]) -> dict[str, Any]:
    """The attributes of ai.onnx.ml 5's TreeEnsemble, which adds up the leaves in 64 bits.

    It knows inner nodes and leaves apart, each numbered through all trees; a tree that is one leaf
    becomes a node with that leaf on both sides.
    """
    parts: dict[str, list[npt.NDArray[Any]]] = defaultdict(list)
    roots, nodes, leaves = [], 0, 0
    for tree in trees:
        roots.append(nodes)
        leaf = tree.is_leaf
        inner = np.flatnonzero(~leaf) if not leaf.all() else np.array([0])
        place = np.where(leaf, np.cumsum(leaf) - 1 + leaves, np.cumsum(~leaf) - 1 + nodes)
        parts["features"].append(tree.feature[inner])
        parts["splits"].append(tree.threshold[inner])
        parts["missing"].append(tree.missing_left[inner])
        for side, child in (("true", tree.left[inner]), ("false", tree.right[inner])):
            parts[f"{side}_nodes"].append(place[child])
            parts[f"{side}_leaves"].append(leaf[child])
        parts["weights"].append(tree.value[leaf])
        nodes, leaves = nodes + inner.size, leaves + int(leaf.sum())
    joined = {name: np.concatenate(arrays) for name, arrays in parts.items()}
    return {
        "n_targets": 1,
        "aggregate_function": 1,  # the sum
        "post_transform": 0,
        "tree_roots": roots,
        "nodes_featureids": joined["features"].astype(np.int64),
        "nodes_splits": from_array(joined["splits"].astype(np.float64)),
        "nodes_modes": from_array(np.zeros(nodes, dtype=np.uint8)),  # left if at most the split
        "nodes_truenodeids": joined["true_nodes"].astype(np.int64),
        "nodes_trueleafs": joined["true_leaves"].astype(np.int64),
        "nodes_falsenodeids": joined["false_nodes"].astype(np.int64),
        "nodes_falseleafs": joined["false_leaves"].astype(np.int64),
        "nodes_missing_value_tracks_true": joined["missing"].astype(np.int64),
        "leaf_targetids": np.zeros(leaves, dtype=np.int64),
        "leaf_weights": from_array(joined["weights"].astype(np.float64)),
    }
