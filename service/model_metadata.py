"""What telemetry publishes of the models, out of their cards."""

from __future__ import annotations

from model.serving.card import Feature
from model.serving.scorer import Scorer
from telemetry.baseline import Baseline
from telemetry.export.gauges import ModelMetadata


def describe_models(
    scorer: Scorer,
    challenger: Scorer | None,
    challenger_share: float = 0.0,
    previous: str | None = None,
) -> ModelMetadata:
    """What telemetry publishes of the champion; the challenger is to answer `challenger_share`,
    labels of the `previous` champion may still come."""
    card = scorer.card
    return ModelMetadata(
        version=card.version,
        trained_at=scorer.trained_at,
        accuracy=card.metrics.accuracy,
        precision=card.metrics.precision,
        recall=card.metrics.recall,
        f1_score=card.metrics.f1_score,
        importance={feature.name: feature.importance for feature in card.features},
        contributions={
            feature.name: feature.contribution
            for feature in card.features
            if feature.contribution is not None
        },
        features=tuple(_convert_baseline(feature) for feature in card.features),
        score=Baseline("score", card.score_baseline.shares, card.score_baseline.edges),
        baseline_rows=card.data.training_rows,
        threshold=card.threshold,
        holdout_rows=card.metrics.rows,
        holdout_frauds=card.metrics.frauds,
        holdout_alert_rate=card.metrics.alert_rate,
        holdout_mean_score=card.metrics.mean_score,
        challenger=None if challenger is None else challenger.card.version,
        challenger_share=None if challenger is None else challenger_share,
        previous=previous,
    )


def _convert_baseline(feature: Feature) -> Baseline:
    stored = feature.baseline
    missing = stored.missing if feature.nullable else None
    if feature.type in ("category", "boolean"):
        categories = feature.categories or ("false", "true")
        return Baseline(
            feature.name,
            stored.shares,
            categories=categories,
            missing=missing,
            calendar=feature.calendar,
        )
    low, high = feature.quantiles[0], feature.quantiles[-1]
    return Baseline(
        feature.name,
        stored.shares,
        stored.edges,
        low,
        high,
        missing=missing,
        calendar=feature.calendar,
    )
