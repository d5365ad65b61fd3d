"""scikit-learn's classifiers as exact graphs: the probability of one class, or the decision value.

Trees take the branches that scikit-learn takes, missing values included, and ensembles of anything
that is known here are put together from their members. What is not known is given to `foreign`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from sklearn.calibration import CalibratedClassifierCV
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.dummy import DummyClassifier
from sklearn.ensemble import (
    AdaBoostClassifier,
    BaggingClassifier,
    ExtraTreesClassifier,
    GradientBoostingClassifier,
    HistGradientBoostingClassifier,
    RandomForestClassifier,
    StackingClassifier,
    VotingClassifier,
)
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression, RidgeClassifier, SGDClassifier
from sklearn.pipeline import Pipeline
from sklearn.svm import LinearSVC
from sklearn.tree import DecisionTreeClassifier, ExtraTreeClassifier

from model.onnx.builder import GraphBuilder
from model.onnx.columns import Foreign, Frame, Unsupported, transform
from model.onnx.inspection import unwrap
from model.onnx.trees import (
    Tree,
    make_ensemble_attributes,
    read_boosting,
    read_grown_tree,
    read_stages,
    read_votes,
)

ForeignClassifier = Callable[[GraphBuilder, Any, Frame], str]
_LINEAR: Final = (
    LogisticRegression,
    LinearDiscriminantAnalysis,
    LinearSVC,
    RidgeClassifier,
    SGDClassifier,
)
_FORESTS: Final = (RandomForestClassifier, ExtraTreesClassifier)
_SINGLE_TREES: Final = (DecisionTreeClassifier, ExtraTreeClassifier)


@dataclass(frozen=True)
class Compiler:
    """Writes fitted models into one graph; the two others do what has no exact graph here."""

    builder: GraphBuilder
    transformer: Foreign
    classifier: ForeignClassifier

    def probability(self, model: Any, frame: Frame) -> str:
        """The probability of the second class, (n, 1)."""
        model = unwrap(model)
        if type(model) is Pipeline:
            return self.probability(model[-1], self._before_last(model, frame))
        if type(model) is FrozenEstimator:
            return self.probability(model.estimator, frame)
        write = _PROBABILITIES.get(type(model))
        if write is None or len(model.classes_) != 2:
            return self.classifier(self.builder, model, frame)
        try:
            return write(self, model, frame)
        except Unsupported as error:
            try:
                return self.classifier(self.builder, model, frame)
            except Unsupported:
                raise error from None

    def decision(self, model: Any, frame: Frame) -> str:
        """The decision value, or the probability of the second class where there is none."""
        model = unwrap(model)
        if type(model) is Pipeline:
            return self.decision(model[-1], self._before_last(model, frame))
        if type(model) is FrozenEstimator:
            return self.decision(model.estimator, frame)
        if not hasattr(model, "decision_function"):
            return self.probability(model, frame)
        write = _DECISIONS.get(type(model))
        if write is None:
            raise Unsupported(f"the decision values of {type(model).__name__}")
        return write(self, model, frame)

    def trees(self, trees: Sequence[Tree], base: float, frame: Frame, *, single: bool) -> str:
        """Base plus the leaves that the rows reach; `single`: rows are rounded to 32 bits."""
        if not frame.is_numeric:
            raise Unsupported("trees on texts")
        rows = self.builder.round_to_single(frame.tensor) if single else frame.tensor
        total = self.builder.add(
            "TreeEnsemble", rows, domain="ai.onnx.ml", **make_ensemble_attributes(trees)
        )
        return self.builder.add("Add", total, self.builder.constant([[base]]))

    def mean(self, tensors: list[str], weights: Sequence[float] | None = None) -> str:
        """The weighted mean of probabilities."""
        joined = self.builder.concat(tensors)
        shares = np.ones(len(tensors)) if weights is None else np.asarray(weights, dtype=float)
        column = self.builder.constant((shares / shares.sum()).reshape(-1, 1))
        return self.builder.add("MatMul", joined, column)

    def sigmoid(self, tensor: str) -> str:
        """The logistic function."""
        return self.builder.add("Sigmoid", tensor)

    def _before_last(self, model: Pipeline, frame: Frame) -> Frame:
        for _, step in model.steps[:-1]:
            frame = transform(self.builder, step, frame, self.transformer)
        return frame


def _compile_tree(compiler: Compiler, model: Any, frame: Frame) -> str:
    return compiler.trees([read_grown_tree(model.tree_, 1)], 0.0, frame, single=True)


def _compile_forest(compiler: Compiler, model: Any, frame: Frame) -> str:
    members = len(model.estimators_)
    trees = [read_grown_tree(member.tree_, members) for member in model.estimators_]
    return compiler.trees(trees, 0.0, frame, single=True)


def _decide_stages(compiler: Compiler, model: Any, frame: Frame) -> str:
    trees, base = read_stages(model)
    return compiler.trees(trees, base, frame, single=True)


def _decide_histogram(compiler: Compiler, model: Any, frame: Frame) -> str:
    if getattr(model, "_preprocessor", None) is not None:
        raise Unsupported("splits on sets of categories cannot be written as thresholds")
    trees, base = read_boosting(model)
    return compiler.trees(trees, base, frame, single=False)


def _decide_votes(compiler: Compiler, model: Any, frame: Frame) -> str:
    if any(type(member) not in _SINGLE_TREES for member in model.estimators_):
        raise Unsupported("AdaBoost of other members than trees")
    return compiler.trees(read_votes(model), 0.0, frame, single=True)


def _decide_linear(compiler: Compiler, model: Any, frame: Frame) -> str:
    if not frame.is_numeric:
        raise Unsupported("a linear model on texts")
    coefficients = np.asarray(model.coef_, dtype=np.float64)
    if coefficients.shape[0] != 1:
        raise Unsupported("a linear model of several classes")
    weights = compiler.builder.constant(coefficients.T)
    product = compiler.builder.add("MatMul", frame.tensor, weights)
    intercept = np.asarray(model.intercept_, dtype=np.float64).reshape(1, -1)
    return compiler.builder.add("Add", product, compiler.builder.constant(intercept))


def _compile_linear(compiler: Compiler, model: Any, frame: Frame) -> str:
    if isinstance(model, SGDClassifier) and model.loss != "log_loss":
        raise Unsupported(f"SGDClassifier with the loss {model.loss}")
    if getattr(model, "multi_class", None) in ("multinomial", "crossentropy"):
        raise Unsupported("a multinomial LogisticRegression of an earlier scikit-learn")
    return compiler.sigmoid(_decide_linear(compiler, model, frame))


def _compile_decision(compiler: Compiler, model: Any, frame: Frame) -> str:
    return compiler.sigmoid(compiler.decision(model, frame))


def _compile_exponential(compiler: Compiler, model: Any, frame: Frame) -> str:
    value = compiler.decision(model, frame)
    if model.loss != "exponential":
        return compiler.sigmoid(value)
    return compiler.sigmoid(compiler.builder.add("Add", value, value))


def _compile_bagging(compiler: Compiler, model: Any, frame: Frame) -> str:
    parts = []
    pairs = zip(model.estimators_, model.estimators_features_, strict=True)
    for member, features in pairs:
        columns = [int(feature) for feature in features]
        own = frame
        if columns != list(range(len(frame.words))):
            words = tuple(frame.words[column] for column in columns)
            own = Frame(compiler.builder.select(frame.tensor, columns), words)
        parts.append(_compile_member(compiler, member, own))
    return compiler.mean(parts)


def _compile_member(compiler: Compiler, member: Any, frame: Frame) -> str:
    """A bagged member saw the classes as 0 and 1, and perhaps only one of them."""
    if not hasattr(member, "predict_proba"):
        raise Unsupported(f"bagging of {type(member).__name__}, which gives no probabilities")
    if len(member.classes_) == 1:
        return _compile_constant(compiler, float(member.classes_[0]), frame)
    return compiler.probability(member, frame)


def _compile_constant(compiler: Compiler, value: float, frame: Frame) -> str:
    first = compiler.builder.select(frame.tensor, [0])
    shape = compiler.builder.add("Shape", first)
    return compiler.builder.add("Expand", compiler.builder.constant([[value]]), shape)


def _compile_voting(compiler: Compiler, model: Any, frame: Frame) -> str:
    parts = [compiler.probability(member, frame) for member in model.estimators_]
    return compiler.mean(parts, model._weights_not_none)


def _compile_stacking(compiler: Compiler, model: Any, frame: Frame) -> str:
    final = unwrap(model.final_estimator_)
    if type(final) not in _LINEAR:
        # Trees over scores that are equal to rounding only may take another branch.
        raise Unsupported(f"a stack under a {type(final).__name__}")
    parts = []
    for member, method in zip(model.estimators_, model.stack_method_, strict=True):
        if method not in ("predict_proba", "decision_function"):
            raise Unsupported("a stack of predicted classes")
        write = compiler.probability if method == "predict_proba" else compiler.decision
        parts.append(write(member, frame))
    if model.passthrough:
        parts.append(frame.tensor)
    words = (None,) * len(model.estimators_) + (frame.words if model.passthrough else ())
    return compiler.probability(final, Frame(compiler.builder.concat(parts), words))


def _compile_calibrated(compiler: Compiler, model: Any, frame: Frame) -> str:
    if model.method != "sigmoid":
        # Isotonic steps turn a difference in the last digit into one that can be seen.
        raise Unsupported(f"calibration by {model.method}")
    parts = []
    for member in model.calibrated_classifiers_:
        [calibrator] = member.calibrators
        value = compiler.decision(member.estimator, frame)
        slope = compiler.builder.constant([[-float(calibrator.a_)]])
        shift = compiler.builder.constant([[-float(calibrator.b_)]])
        scaled = compiler.builder.add("Mul", value, slope)
        parts.append(compiler.sigmoid(compiler.builder.add("Add", scaled, shift)))
    return compiler.mean(parts)


def _compile_dummy(compiler: Compiler, model: Any, frame: Frame) -> str:
    if model.strategy != "prior":
        raise Unsupported(f"DummyClassifier with the strategy {model.strategy}")
    return _compile_constant(compiler, float(model.class_prior_[1]), frame)


_Writer = Callable[[Compiler, Any, Frame], str]
_DECISIONS: Final[dict[type, _Writer]] = {
    **dict.fromkeys(_LINEAR, _decide_linear),
    GradientBoostingClassifier: _decide_stages,
    HistGradientBoostingClassifier: _decide_histogram,
    AdaBoostClassifier: _decide_votes,
}
_PROBABILITIES: Final[dict[type, _Writer]] = {
    **dict.fromkeys(_SINGLE_TREES, _compile_tree),
    **dict.fromkeys(_FORESTS, _compile_forest),
    LogisticRegression: _compile_linear,
    LinearDiscriminantAnalysis: _compile_linear,
    SGDClassifier: _compile_linear,
    GradientBoostingClassifier: _compile_exponential,
    HistGradientBoostingClassifier: _compile_decision,
    AdaBoostClassifier: _compile_decision,
    BaggingClassifier: _compile_bagging,
    VotingClassifier: _compile_voting,
    StackingClassifier: _compile_stacking,
    CalibratedClassifierCV: _compile_calibrated,
    DummyClassifier: _compile_dummy,
}
