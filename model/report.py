"""A card as a few lines for a terminal."""

from __future__ import annotations

from model.card import Card, Feature, Metrics


def summary(card: Card) -> str:
    """Version, holdout figures, threshold and features, as aligned text."""
    head = [
        f"version      {card.version}",
        f"model        {card.model_type}, seed {card.seed}",
        f"data         {card.data.source}: {card.data.rows:,} rows, {card.data.frauds:,} frauds",
        f"threshold    {card.threshold:g} ({card.threshold_rule})",
    ]
    return "\n".join([*head, "", figures(card.metrics), "", _features(card.features)])


def figures(metrics: Metrics) -> str:
    """The holdout figures, a line each."""
    rows = {
        "average precision": metrics.average_precision,
        "ROC AUC": metrics.roc_auc,
        "precision": metrics.precision,
        "recall": metrics.recall,
        "F1": metrics.f1_score,
        "accuracy": metrics.accuracy,
        "Brier": metrics.brier,
        "calibration error": metrics.calibration_error,
        "recall at 0.1 % false alarms": metrics.recall_at_low_alarm,
        "alert rate": metrics.alert_rate,
    }
    head = f"holdout: {metrics.rows:,} rows, {metrics.frauds:,} frauds"
    return "\n".join([head, *(f"  {name:<29}{value:.4f}" for name, value in rows.items())])


def _features(features: tuple[Feature, ...]) -> str:
    ranked = sorted(features, key=lambda feature: -feature.importance)
    lines = [f"  {item.name:<29}{item.importance:.3f}  {item.type}" for item in ranked]
    return "\n".join(["features by importance:", *lines])
