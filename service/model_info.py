"""What `/model_info` says: the parts of the card that a caller or a simulator needs."""

from __future__ import annotations

from datetime import UTC, datetime

from model.serving.scorer import Scorer
from service.challenger import Challenger
from service.examples import find_examples


def describe_model(scorer: Scorer, challenger: Challenger | None) -> dict[str, object]:
    """Version, features and how they go together, thresholds, holdout metrics, examples,
    challenger."""
    card = scorer.card
    trained = datetime.fromtimestamp(scorer.trained_at, UTC)
    return {
        "version": card.version,
        "model_type": card.model_type,
        "format": card.format,
        "last_training": trained.isoformat(timespec="seconds"),
        "features": card.features,
        "joint": card.joint,
        "threshold": card.threshold,
        "risk_levels": card.risk_levels,
        "user_types": card.user_types,
        "value_band": card.value_band,
        "metrics": card.metrics,
        "examples": find_examples(scorer),
        "challenger": _describe_challenger(challenger),
    }


def _describe_challenger(challenger: Challenger | None) -> dict[str, object] | None:
    if challenger is None:
        return None
    return {
        "version": challenger.scorer.card.version,
        "shadow_percent": challenger.split.shadow_percent,
        "serves_percent": challenger.split.serves_percent,
    }
