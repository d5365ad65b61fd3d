"""Probabilities that mean what they say: of those near 0.2, one in five is fraud.

Platt's sigmoid, p = 1 / (1 + exp(-(slope * raw + shift))), fitted on the validation rows, where
raw is the logit of a logistic regression or of boosting and the probability of a forest. Not
isotonic regression: with the few frauds of real sets it made matters worse (measured), and its
ties cost average precision. The sigmoid is used only where it helps: where, fitted on the earlier
half of the validation rows, it lowers the log loss of the later half by more than twice the
standard error of the difference; with fewer than LEAST_FRAUDS frauds in a half it is not tried.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, TypeAlias

import numpy as np
from sklearn.calibration import CalibratedClassifierCV
from sklearn.frozen import FrozenEstimator
from sklearn.pipeline import Pipeline

from model.data.dataset import Floats, Labels

LEAST_FRAUDS: Final = 20

Model: TypeAlias = Pipeline | CalibratedClassifierCV


@dataclass(frozen=True)
class Sigmoid:
    """The sigmoid of a calibrated model."""

    slope: float
    shift: float


def calibrate(trial: Pipeline, final: Pipeline, features: Floats, target: Labels) -> Model:
    """`final` with the calibration that `trial` needs on rows that it was not fitted to.

    `trial` is the same model fitted without those rows, `final` the one to be published.
    """
    if not _is_helpful(trial, features, target):
        return final
    calibrated = _fit_sigmoid(trial, features, target)
    [member] = calibrated.calibrated_classifiers_
    calibrated.estimator = member.estimator = FrozenEstimator(final)
    return calibrated


def split_calibration(model: Model) -> tuple[Pipeline, Sigmoid | None]:
    """The pipeline inside a model, and its calibration where it has one."""
    if isinstance(model, Pipeline):
        return model, None
    [member] = model.calibrated_classifiers_
    [sigmoid] = member.calibrators
    return member.estimator.estimator, Sigmoid(-float(sigmoid.a_), -float(sigmoid.b_))


def predict_fraud(model: Model, features: Floats) -> Floats:
    """The model's probability of fraud, a number per row."""
    probability: Floats = model.predict_proba(features)[:, 1]
    return probability


def _is_helpful(trial: Pipeline, features: Floats, target: Labels) -> bool:
    middle = len(target) // 2
    early, late = slice(0, middle), slice(middle, None)
    if min(int(target[part].sum()) for part in (early, late)) < LEAST_FRAUDS:
        return False
    calibrated = _fit_sigmoid(trial, features[early], target[early])
    before = _log_loss(target[late], predict_fraud(trial, features[late]))
    after = _log_loss(target[late], predict_fraud(calibrated, features[late]))
    gain = before - after
    return bool(gain.mean() > 2 * gain.std() / np.sqrt(gain.size))


def _log_loss(target: Labels, probability: Floats) -> Floats:
    """Each row's own."""
    given = np.where(target == 1, probability, 1 - probability)
    loss: Floats = -np.log(np.clip(given, 1e-12, 1.0))
    return loss


def _fit_sigmoid(model: Pipeline, features: Floats, target: Labels) -> CalibratedClassifierCV:
    frozen = CalibratedClassifierCV(FrozenEstimator(model), method="sigmoid")
    return frozen.fit(features, target)
