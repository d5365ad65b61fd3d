"""Champion and challenger as the settings name them, loaded from the registry."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass

from model.serving.errors import ModelError, NotAllowed
from model.serving.explain import Explainer
from model.serving.registry import Registry
from model.serving.scorer import Scorer, load_explainer, load_scorer, load_version
from model.serving.version_slots import find_version_slot
from service.challenger import Challenger, TrafficSplit, check_same_schema
from service.settings import Settings
from telemetry.metrics import CHALLENGER, CHAMPION
from telemetry.recorder import Recorder

_log = logging.getLogger("handler")


@dataclass(frozen=True)
class ServedModels:
    """`explainer` is None where the champion's version has no background rows; `earlier` are the
    champions before this one, latest first."""

    champion: Scorer
    explainer: Explainer | None
    challenger: Scorer | None
    earlier: Sequence[str] = ()

    def roles(self) -> dict[str, str]:
        """The role of each version that is loaded."""
        roles = {self.champion.card.version: CHAMPION}
        if self.challenger is not None:
            roles[self.challenger.card.version] = CHALLENGER
        return roles

    def labelled_later(self) -> list[str]:
        """Earlier champions whose labels still come and are counted, latest first.

        Those whose slot a loaded version or a later champion has are left out: their outcomes could
        not be told apart.
        """
        taken, found = {find_version_slot(version) for version in self.roles()}, []
        for version in self.earlier:
            if (slot := find_version_slot(version)) not in taken:
                found.append(version)
                taken.add(slot)
        return found


def load_models(settings: Settings) -> ServedModels:
    """Raises ModelError without a champion; without a challenger that fits, it serves alone."""
    champion = load_scorer(settings.model_dir, settings.allow_joblib)
    explainer = load_explainer(settings.model_dir, champion)
    earlier = Registry(settings.model_dir).champions()[1:]
    return ServedModels(champion, explainer, _load_challenger(settings, champion), earlier)


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
    scorer: Scorer | None, settings: Settings, recorder: Recorder, secret: bytes
) -> Challenger | None:
    """The challenger with its share of the traffic, where there is one."""
    if scorer is None:
        return None
    split = TrafficSplit(
        settings.challenger_shadow_percent,
        settings.challenger_serves_percent,
        settings.challenger_timeout_ms / 1000,
        settings.challenger_wait_ms / 1000,
        secret,
    )
    return Challenger(scorer, split, recorder)
