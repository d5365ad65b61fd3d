"""scikit-learn's trees as arrays, and as the attributes of ONNX's tree ensembles.

Trees are read here and not by a converter because a converter rounds each threshold to 32 bits and
loses which way a missing value goes. Here thresholds stay in 64 bits, so that every row takes the
branches that scikit-learn takes.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from onnx.numpy_helper import from_array
from sklearn.dummy import DummyClassifier
from sklearn.ensemble import (
    AdaBoostClassifier,
    GradientBoostingClassifier,
    HistGradientBoostingClassifier,
    RandomForestClassifier,
)

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]

_EPSILON: Final = float(np.finfo(np.float64).eps)


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
