"""Champion and challenger as the settings name them, loaded from the registry."""

from __future__ import annotations

import logging
from dataclasses import dataclass

from model.serving.errors import ModelError, NotAllowed
from model.serving.explain import Explainer
from model.serving.registry import Registry
from model.serving.scorer import Scorer, load_explainer, load_scorer, load_version
from service.challenger import Challenger, TrafficSplit, check_same_schema
from service.settings import Settings
from telemetry.recorder import Recorder

_log = logging.getLogger("handler")


@dataclass(frozen=True)
class ServedModels:
    """`explainer` is None where the champion's version has no background rows."""

    champion: Scorer
    explainer: Explainer | None
    challenger: Scorer | None


def load_models(settings: Settings) -> ServedModels:
    """Raises ModelError without a champion; without a challenger that fits, it serves alone."""
    champion = load_scorer(settings.model_dir, settings.allow_joblib)
    explainer = load_explainer(settings.model_dir, champion)
    return ServedModels(champion, explainer, _load_challenger(settings, champion))


def _load_challenger(settings: Settings, champion: Scorer) -> Scorer | None:
    if not settings.challenger:
        return None
    try:
        if settings.challenger == champion.card.version:
            raise ModelError(f"challenger {settings.challenger} is the champion by now")
        registry = Registry(settings.model_dir)
        challenger = load_version(registry, settings.challenger, settings.allow_joblib)
        check_same_schema(champion.card, challenger.card)
    except NotAllowed:
        raise  # The settings contradict each other: that is for a person to decide.
    except ModelError as error:
        _log.error("the champion serves alone: %s", error)
        return None
    return challenger


def build_challenger(
    scorer: Scorer | None, settings: Settings, recorder: Recorder
) -> Challenger | None:
    """The challenger with its share of the traffic, where there is one."""
    if scorer is None:
        return None
    split = TrafficSplit(
        settings.challenger_shadow_percent,
        settings.challenger_serves_percent,
        settings.challenger_timeout_ms / 1000,
        settings.challenger_wait_ms / 1000,
    )
    return Challenger(scorer, split, recorder)
