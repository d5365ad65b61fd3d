"""How good probabilities are, judged on rows that the model has not seen."""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

from model.serving.card import Metrics
from model.serving.outcome_bins import OUTCOME_BOUNDS
from model.training.curve import Curve, Ranking

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]
Labels = npt.NDArray[np.int8]

LOW_ALARM_RATE: Final = 0.001
RESAMPLES: Final = 500
_DIGITS: Final = 6


def measure(target: Labels, probability: Floats, threshold: float) -> Metrics:
    """All figures of the card; both classes must be present."""
    curve = Ranking(target, probability).curve()
    values = compute_figures(target, probability, threshold, curve, None)
    return Metrics(
        rows=len(target),
        frauds=int(target.sum()),
        **{name: round(value, _DIGITS) for name, value in values.items()},
    )


def bootstrap_intervals(
    target: Labels, probability: Floats, threshold: float, seed: int
) -> dict[str, tuple[float, float]]:
    """95 % bootstrap bounds by the metric's name: rows drawn with replacement, RESAMPLES times.

    Draws without a row of either class are drawn again.
    """
    random = np.random.default_rng(seed)
    ranking = Ranking(target, probability)
    samples = []
    for _ in range(RESAMPLES):
        weights = draw_weights(random, target)
        curve = ranking.curve(weights)
        samples.append(compute_figures(target, probability, threshold, curve, weights))
    bounds = {}
    for name in samples[0]:
        low, high = np.quantile([sample[name] for sample in samples], [0.025, 0.975])
        bounds[name] = (round(float(low), _DIGITS), round(float(high), _DIGITS))
    return bounds


def compute_figures(
    target: Labels,
    probability: Floats,
    threshold: float,
    curve: Curve,
    weights: Integers | None,
) -> dict[str, float]:
    """Every figure of the card by its name."""
    rows, frauds = float(curve.alarms[-1]), float(curve.hits[-1])
    # The curve's thresholds fall: the alarms are those of the last one that is high enough.
    last = int(np.searchsorted(-curve.threshold, -threshold, side="right")) - 1
    alarms, hits = (float(curve.alarms[last]), float(curve.hits[last])) if last >= 0 else (0.0, 0.0)
    return {
        "accuracy": (rows - frauds - alarms + 2 * hits) / rows,
        "precision": hits / alarms if alarms else 0.0,
        "recall": hits / frauds,
        "f1_score": 2 * hits / (alarms + frauds),
        "average_precision": curve.average_precision(),
        "roc_auc": curve.roc_auc(),
        "brier": float(np.average((target - probability) ** 2, weights=weights)),
        "calibration_error": measure_calibration(target, probability, weights),
        "recall_at_low_alarm": curve.recall_at(LOW_ALARM_RATE),
        "alert_rate": alarms / rows,
        "mean_score": float(np.average(probability, weights=weights)),
    }


def measure_calibration(
    target: Labels, probability: Floats, weights: Integers | None = None
) -> float:
    """Expected calibration error over the bins in which outcomes are counted live.

    Mean over the rows of |share of frauds - mean probability| of the row's bin: the definition of
    `job:outcome_scores:calibration_error1d`, so the card's figure and the live one compare.
    """
    weight = np.ones(len(target)) if weights is None else weights.astype(np.float64)
    bins = np.minimum(np.searchsorted(OUTCOME_BOUNDS, probability), len(OUTCOME_BOUNDS) - 1)
    gaps = np.abs(np.bincount(bins, weight * (target - probability)))
    return float(gaps.sum() / weight.sum())


def draw_weights(random: np.random.Generator, target: Labels) -> Integers:
    """How often each row was drawn, in as many draws as there are rows."""
    rows = len(target)
    while True:
        weights = np.bincount(random.integers(0, rows, rows), minlength=rows)
        frauds = int(weights[target == 1].sum())
        if 0 < frauds < rows:
            return weights
