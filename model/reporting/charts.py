"""The charts of a report."""

from __future__ import annotations

from model.registry.holdout_curves import CalibrationBin, HoldoutCurves
from model.reporting.svg import Axis, Chart
from model.serving.card import Card

_TICKS = (0.0, 0.2, 0.4, 0.6, 0.8, 1.0)


def draw_precision_recall(curves: HoldoutCurves, card: Card) -> str:
    """With the point where the threshold stands, and what chance gives."""
    chart = Chart(
        "Precision by recall, with 95 % bounds",
        Axis("recall: share of the frauds that are found", 0, 1, _TICKS),
        Axis("precision: share of the alarms that are frauds", 0, 1, _TICKS),
    )
    band = curves.precision_recall
    chart.band(band.x, band.low, band.high)
    chart.line((0, 1), (curves.fraud_share, curves.fraud_share), "chance")
    chart.line(band.x, band.y, "curve")
    at = f"threshold {card.threshold:.4g}"
    chart.point(card.metrics.recall, card.metrics.precision, text=at)
    return chart.render()


def draw_roc(curves: HoldoutCurves, card: Card) -> str:
    """Of the false alarms the first tenth, which is where a threshold may stand."""
    chart = Chart(
        "Recall by the share of false alarms, with 95 % bounds",
        Axis("false alarms: share of the legitimate", 0, 0.1, (0, 0.02, 0.04, 0.06, 0.08, 0.1)),
        Axis("recall: share of the frauds that are found", 0, 1, _TICKS),
    )
    within = [number for number, x in enumerate(curves.roc.x) if x <= chart.x.high]
    xs, ys, lows, highs = (
        [values[number] for number in within]
        for values in (curves.roc.x, curves.roc.y, curves.roc.low, curves.roc.high)
    )
    chart.band(xs, lows, highs)
    chart.line((0, chart.x.high), (0, chart.x.high), "chance")
    chart.line(xs, ys, "curve")
    chart.point(_share_of_false_alarms(card), card.metrics.recall, text="the threshold")
    return chart.render()


def draw_calibration(curves: HoldoutCurves) -> str:
    """Logarithmic, since most probabilities are small; a bin without fraud stands at the bottom."""
    floor = _find_floor(curves.calibration)
    ticks = [10.0**power for power in range(-6, 1) if 10.0**power >= floor]
    chart = Chart(
        "Share of frauds by mean probability, with 95 % intervals",
        Axis("mean probability", floor, 1, ticks, logarithmic=True),
        Axis("share of frauds", floor, 1, ticks, logarithmic=True),
    )
    chart.line((floor, 1), (floor, 1), "chance")
    for each in curves.calibration:
        chart.interval(each.probability, each.low, each.high)
    for each in curves.calibration:
        text = f"{each.rows} rows: said {each.probability:.3g}, seen {each.frauds:.3g}"
        chart.point(each.probability, each.frauds, text=text)
    return chart.render()


def _share_of_false_alarms(card: Card) -> float:
    metrics = card.metrics
    alarms = metrics.alert_rate * metrics.rows
    return alarms * (1 - metrics.precision) / (metrics.rows - metrics.frauds)


def _find_floor(bins: tuple[CalibrationBin, ...]) -> float:
    least = min((each.probability for each in bins if each.probability > 0), default=0.01)
    return max(1e-6, min(0.01, least / 2))
