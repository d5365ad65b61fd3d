"""How good probabilities are, judged on rows that the model has not seen."""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt
from sklearn.metrics import average_precision_score, brier_score_loss, roc_auc_score, roc_curve

from model.card import Metrics

Floats = npt.NDArray[np.float64]
Labels = npt.NDArray[np.int8]

LOW_ALARM_RATE: Final = 0.001
CALIBRATION_BINS: Final = 10


def measure(target: Labels, probability: Floats, threshold: float) -> Metrics:
    """All figures of the card; both classes must be present."""
    alarm = probability >= threshold
    fraud = target == 1
    hits = int(np.sum(alarm & fraud))
    precision = hits / max(int(alarm.sum()), 1)
    recall = hits / int(fraud.sum())
    return Metrics(
        rows=len(target),
        frauds=int(fraud.sum()),
        accuracy=_rounded(np.mean(alarm == fraud)),
        precision=_rounded(precision),
        recall=_rounded(recall),
        f1_score=_rounded(2 * precision * recall / max(precision + recall, 1e-12)),
        average_precision=_rounded(average_precision_score(target, probability)),
        roc_auc=_rounded(roc_auc_score(target, probability)),
        brier=_rounded(brier_score_loss(target, probability)),
        calibration_error=_rounded(calibration_error(target, probability)),
        recall_at_low_alarm=_rounded(recall_at(target, probability, LOW_ALARM_RATE)),
        alert_rate=_rounded(np.mean(alarm)),
    )


def calibration_error(target: Labels, probability: Floats, bins: int = CALIBRATION_BINS) -> float:
    """Expected calibration error over bins of equal count.

    Mean over the rows of |share of frauds - mean probability| of the row's bin. Equal counts and
    not equal widths: with 3 % frauds nearly all rows would share the lowest of ten equal widths.
    """
    order = np.argsort(probability, kind="stable")
    groups = [group for group in np.array_split(order, bins) if group.size]
    gaps = [abs(target[group].mean() - probability[group].mean()) * group.size for group in groups]
    return float(sum(gaps) / len(target))


def recall_at(target: Labels, probability: Floats, false_alarm_rate: float) -> float:
    """Largest recall of any threshold with at most this share of false alarms among the honest."""
    false_alarms, recall, _ = roc_curve(target, probability, drop_intermediate=False)
    return float(recall[false_alarms <= false_alarm_rate].max())


def _rounded(value: float | np.floating) -> float:
    return round(float(value), 6)
