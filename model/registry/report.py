"""Cards and figures as lines for a terminal."""

from __future__ import annotations

from typing import Final

from model.serving.card import Card, Feature, Metrics

FIGURES: Final = {
    "average_precision": "average precision",
    "roc_auc": "ROC AUC",
    "precision": "precision",
    "recall": "recall",
    "f1_score": "F1",
    "accuracy": "accuracy",
    "brier": "Brier score",
    "calibration_error": "calibration error",
    "recall_at_low_alarm": "recall at 0.1 % false alarms",
    "alert_rate": "alert rate",
}

Intervals = dict[str, tuple[float, float]]


def format_card(card: Card) -> str:
    """Version, choice, holdout figures, threshold and features, as aligned text."""
    data = card.data
    head = [
        f"version      {card.version}",
        f"model        {card.model_type}, seed {card.seed}{_format_choice(card)}",
        f"served from  {card.format}",
        f"data         {data.source}: {data.rows:,} rows, {data.frauds:,} frauds",
        f"threshold    {card.threshold:g}, {card.threshold_rule}",
        *_format_refit(card),
        *(f"note         {note}" for note in data.notes),
    ]
    parts = ["\n".join(head), format_figures("holdout", card.metrics, card.intervals)]
    if card.segments:
        parts.append(_format_segments(card.segments))
    parts.append(_format_features(card.features))
    return "\n\n".join(parts)


def format_figures(title: str, metrics: Metrics, intervals: Intervals) -> str:
    """The figures, a line each, with their 95 % bounds."""
    lines = [f"{title}: {metrics.rows:,} rows, {metrics.frauds:,} frauds"]
    for name, label in FIGURES.items():
        line = f"  {label:<29}{getattr(metrics, name):.4f}"
        if name in intervals:
            low, high = intervals[name]
            line += f"  [{low:.4f}, {high:.4f}]"
        lines.append(line)
    return "\n".join(lines)


def _format_refit(card: Card) -> list[str]:
    if card.data.refit_rows is None:
        return []
    return [
        f"fitted to    all {card.data.refit_rows:,} rows after judging; the figures are of the fit"
        f" to the first {card.data.training_rows:,}"
    ]


def _format_choice(card: Card) -> str:
    tried = ", ".join(f"{name} {score:.4f}" for name, score in card.candidates.items())
    return f" (average precision on the validation rows: {tried})" if tried else ""


def _format_segments(segments: dict[str, Metrics]) -> str:
    width = max(map(len, segments)) + 2
    titles = f"{'rows':>9}{'frauds':>8}{'avg prec':>10}{'precision':>11}{'recall':>8}"
    lines = [
        f"  {name:<{width}}{item.rows:>9,}{item.frauds:>8,}{item.average_precision:>10.4f}"
        f"{item.precision:>11.4f}{item.recall:>8.4f}"
        for name, item in segments.items()
    ]
    return "\n".join(["holdout by segment:", f"  {'':<{width}}{titles}", *lines])


def _format_features(features: tuple[Feature, ...]) -> str:
    ranked = sorted(features, key=lambda feature: -feature.importance)
    width = max(len(item.name) for item in features) + 2
    lines = [f"  {item.name:<{width}}{item.importance:.3f}  {item.type}" for item in ranked]
    return "\n".join(["features by importance:", *lines])
