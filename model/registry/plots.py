"""The pictures of MODEL_CARD.md, drawn from the holdout."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Final

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import NullFormatter

from model.data.dataset import Floats, Labels
from model.serving.card import Card
from model.training.curve import Ranking

PRECISION_RECALL_FILE: Final = "precision_recall.png"
CALIBRATION_FILE: Final = "calibration.png"
IMPORTANCE_FILE: Final = "importance.png"
_BLUE: Final = "#2a6f97"
_GREY: Final = "#8d99ae"
_MOST_FEATURES: Final = 20


def draw_plots(folder: Path, card: Card, target: Labels, probability: Floats) -> None:
    """Write the three pictures."""
    _save_plot(
        folder / PRECISION_RECALL_FILE, lambda axes: _plot_curve(axes, card, target, probability)
    )
    _save_plot(folder / CALIBRATION_FILE, lambda axes: _plot_calibration(axes, target, probability))
    _save_plot(folder / IMPORTANCE_FILE, lambda axes: _plot_importance(axes, card))


def _save_plot(path: Path, paint: Callable[[Axes], None]) -> None:
    figure = Figure(figsize=(5.5, 4), dpi=100, layout="constrained")
    axes = figure.subplots()
    axes.spines[["top", "right"]].set_visible(False)
    paint(axes)
    # Without the program's name and version in it the same picture is the same file.
    figure.savefig(path, metadata={"Software": None})


def _plot_curve(axes: Axes, card: Card, target: Labels, probability: Floats) -> None:
    curve = Ranking(target, probability).curve()
    axes.step(curve.recall, curve.precision, where="post", color=_BLUE)
    axes.plot(card.metrics.recall, card.metrics.precision, "o", color="#c1121f")
    axes.annotate(
        f"threshold {card.threshold:g}",
        (card.metrics.recall, card.metrics.precision),
        textcoords="offset points",
        xytext=(8, 6),
    )
    axes.axhline(float(target.mean()), color=_GREY, linestyle=":", label="by chance")
    axes.set(xlabel="recall", ylabel="precision", xlim=(0, 1), ylim=(0, 1.02))
    axes.set_title(f"average precision {card.metrics.average_precision:.3f}")
    axes.legend(frameon=False)


def _plot_calibration(axes: Axes, target: Labels, probability: Floats) -> None:
    """Ten bins of equal count; logarithmic, since most probabilities are small.

    A bin without a fraud has no place on such an axis: it is drawn hollow, at its foot.
    """
    groups = np.array_split(np.argsort(probability, kind="stable"), 10)
    floor = 1 / len(target)
    said = np.maximum([float(probability[group].mean()) for group in groups], floor)
    seen = np.array([float(target[group].mean()) for group in groups])
    some, none = seen > 0, seen == 0
    axes.plot([floor, 1], [floor, 1], color=_GREY, linestyle=":", label="perfect")
    axes.plot(said[some], seen[some], "o-", color=_BLUE)
    if none.any():
        feet = np.full(none.sum(), floor)
        axes.plot(said[none], feet, "o", mfc="none", color=_BLUE, label="no fraud in the bin")
    axes.set(xscale="log", yscale="log", xlabel="mean probability", ylabel="share of frauds")
    for axis in (axes.xaxis, axes.yaxis):
        # Plain numbers; matplotlib's own powers of ten look up mathematical fonts.
        axis.set_major_formatter(lambda value, _: f"{value:g}")
        axis.set_minor_formatter(NullFormatter())
    axes.set_title("calibration, ten bins of equal count")
    axes.legend(frameon=False)


def _plot_importance(axes: Axes, card: Card) -> None:
    ranked = sorted(card.features, key=lambda feature: feature.importance)[-_MOST_FEATURES:]
    axes.barh([item.name for item in ranked], [item.importance for item in ranked], color=_BLUE)
    axes.tick_params(axis="y", labelsize=8)
    axes.set(xlabel="share of the average precision lost by shuffling")
    axes.set_title("importance")
