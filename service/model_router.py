"""Which model answers, and what the other one says of the same transactions."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import msgspec

from model.serving.scorer import Scorer
from service.challenger import Challenger, Rows
from service.decisions import Prediction, score_rows
from telemetry.metrics import CHALLENGER, CHAMPION


def _no_shadow() -> None:
    """There is no other model, or it is not asked."""


class RoutedPrediction(msgspec.Struct, frozen=True):
    """What is answered, and by the model in which role; `champion` is the champion's own
    prediction, None where it failed. `await_shadow` gives the other model's
    prediction where there is one, after the short time that an answer may wait for it."""

    role: str
    prediction: Prediction
    champion: Prediction | None
    await_shadow: Callable[[], Prediction | None] = _no_shadow


class ModelRouter:
    """Champion, and a challenger where there is one."""

    def __init__(self, champion: Scorer, challenger: Challenger | None) -> None:
        self._champion = champion
        self._challenger = challenger

    def score(self, rows: Rows, routing_key: str | None) -> RoutedPrediction:
        """Score with the model that the key belongs to; without a key that is the champion, alone.

        Raises whatever the champion raises; a challenger that fails is never noticed.
        """
        if self._challenger is None or routing_key is None:
            return self._answer_by_champion(rows)
        if self._challenger.serves(routing_key, len(rows)):
            return self._answer_by_challenger(self._challenger, rows)
        return self._answer_with_shadow(self._challenger, rows)

    def _answer_by_champion(self, rows: Rows) -> RoutedPrediction:
        champion = self._score_champion(rows)
        return RoutedPrediction(CHAMPION, champion, champion)

    def _score_champion(self, rows: Rows) -> Prediction:
        return Prediction(self._champion.card, score_rows(self._champion, rows))

    def _answer_with_shadow(self, challenger: Challenger, rows: Rows) -> RoutedPrediction:
        future = challenger.start_shadow(rows)
        champion = self._score_champion(rows)
        if future is None:
            return RoutedPrediction(CHAMPION, champion, champion)
        challenger.compare_later(future, champion)
        await_shadow = partial(challenger.await_shadow, future)
        return RoutedPrediction(CHAMPION, champion, champion, await_shadow)

    def _answer_by_challenger(self, challenger: Challenger, rows: Rows) -> RoutedPrediction:
        """The challenger's prediction, or in its place the champion's; one that failed does not
        touch the other."""
        future = challenger.start_scoring(rows)
        champion = self._try_champion(rows)
        own = challenger.await_serving(future)
        if own is None:
            # Only a champion that failed scores anew, so that it says why.
            if champion is None:
                return self._answer_by_champion(rows)
            return RoutedPrediction(CHAMPION, champion, champion)
        if champion is None:
            return RoutedPrediction(CHALLENGER, own, None)
        challenger.compare(champion, own.probabilities)
        return RoutedPrediction(CHALLENGER, own, champion, lambda: champion)

    def _try_champion(self, rows: Rows) -> Prediction | None:
        try:
            return self._score_champion(rows)
        except Exception:
            return None
