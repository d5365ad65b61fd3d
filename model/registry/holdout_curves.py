"""How a version did on its holdout at every threshold, with bands: kept beside its card, because
the holdout itself is not."""

from __future__ import annotations

from typing import Final

import msgspec
import numpy as np

from model.serving.errors import ModelError
from model.serving.registry import Registry
from model.training.curve import Curve, Floats, Labels, Ranking
from model.training.metrics import draw_weights

CURVES_FILE: Final = "holdout_curves.json"
RESAMPLES: Final = 200
# Places at which a band is known; recall 0 has no precision.
_RECALLS: Final = np.linspace(0.02, 1.0, 50)
# Dense where false alarms are few: that is where a threshold stands.
_FALSE_ALARMS: Final = np.concatenate([np.linspace(0, 0.1, 26), np.linspace(0.12, 1.0, 45)])
_BINS: Final = 10
# Of a normal distribution: 95 % lie within so many deviations.
_DEVIATIONS: Final = 1.959964


class Band(msgspec.Struct, frozen=True):
    """A curve with 95 % bootstrap bounds at each of its places."""

    x: tuple[float, ...]
    y: tuple[float, ...]
    low: tuple[float, ...]
    high: tuple[float, ...]


class CalibrationBin(msgspec.Struct, frozen=True):
    """Rows of like probability: the mean of it, and the share of frauds with its 95 % Wilson
    interval."""

    rows: int
    probability: float
    frauds: float
    low: float
    high: float


class HoldoutCurves(msgspec.Struct, frozen=True):
    """Precision by recall, recall by the share of false alarms, frauds by probability."""

    precision_recall: Band
    roc: Band
    calibration: tuple[CalibrationBin, ...]
    fraud_share: float


def trace_curves(target: Labels, probability: Floats, seed: int) -> HoldoutCurves:
    """The curves of the holdout; rows are drawn with replacement for the bands."""
    random, ranking = np.random.default_rng(seed), Ranking(target, probability)
    whole = ranking.curve()
    drawn = [ranking.curve(draw_weights(random, target)) for _ in range(RESAMPLES)]
    return HoldoutCurves(
        precision_recall=_bound(_RECALLS, _precision_at(whole), [_precision_at(c) for c in drawn]),
        roc=_bound(_FALSE_ALARMS, _recall_at(whole), [_recall_at(c) for c in drawn]),
        calibration=_bin(target, probability),
        fraud_share=round(float(target.mean()), 6),
    )


def encode_curves(curves: HoldoutCurves) -> bytes:
    """The bytes of CURVES_FILE."""
    return msgspec.json.encode(curves) + b"\n"


def read_curves(registry: Registry, version: str) -> HoldoutCurves | None:
    """None where the version was published without; a ModelError where the file is damaged."""
    path = registry.folder(version) / CURVES_FILE
    if not path.is_file():
        return None
    try:
        return msgspec.json.decode(path.read_bytes(), type=HoldoutCurves)
    except (OSError, msgspec.DecodeError) as error:
        raise ModelError(f"{path} cannot be read: {error}") from error


def wilson_interval(hits: float, rows: float) -> tuple[float, float]:
    """95 % of a share (E. B. Wilson, 1927)."""
    share, squared = hits / rows, _DEVIATIONS**2
    middle = (share + squared / (2 * rows)) / (1 + squared / rows)
    half = share * (1 - share) / rows + squared / (4 * rows**2)
    spread = _DEVIATIONS * half**0.5 / (1 + squared / rows)
    return max(0.0, middle - spread), min(1.0, middle + spread)


def _precision_at(curve: Curve) -> Floats:
    """At the highest threshold that finds so many frauds."""
    places = np.searchsorted(curve.recall, _RECALLS - 1e-12)
    found: Floats = curve.precision[places]
    return found


def _recall_at(curve: Curve) -> Floats:
    x = np.concatenate([[0.0], curve.false_alarm_rate])
    y = np.concatenate([[0.0], curve.recall])
    found: Floats = np.interp(_FALSE_ALARMS, x, y)
    return found


def _bound(x: Floats, y: Floats, drawn: list[Floats]) -> Band:
    low, high = np.quantile(np.stack(drawn), [0.025, 0.975], axis=0)
    return Band(*(tuple(values.round(5).tolist()) for values in (x, y, low, high)))


def _bin(target: Labels, probability: Floats) -> tuple[CalibrationBin, ...]:
    """Bins of equal count, from the least probable on."""
    found = []
    for group in np.array_split(np.argsort(probability, kind="stable"), _BINS):
        if not group.size:
            continue
        frauds = float(target[group].sum())
        low, high = wilson_interval(frauds, group.size)
        mean = float(probability[group].mean())
        figures = (mean, frauds / group.size, low, high)
        found.append(CalibrationBin(group.size, *(round(value, 8) for value in figures)))
    return tuple(found)
