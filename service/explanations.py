"""Why a transaction got its score: for the caller who asks, and for a sample of live traffic."""

from __future__ import annotations

import math
import random
from collections.abc import Sequence
from functools import partial

import numpy as np

from model.serving.card import Card
from model.serving.explain import Explainer
from service.background import BackgroundWorker
from service.errors import ApiError
from telemetry.recorder import Recorder
from telemetry.token_bucket import TokenBucket

# An explanation costs a few milliseconds: a longer batch would keep its worker from everybody else.
MOST_EXPLAINED = 10

# An estimate costs a millisecond or two: a worker spends a hundredth of its time on them, at most.
MOST_SAMPLED_PER_SECOND = 5

Row = Sequence[float]


def check_explained_count(count: int) -> None:
    """Raises ApiError where `count` transactions are too many to be explained in one request."""
    if count > MOST_EXPLAINED:
        raise ApiError(
            "too_many_explained",
            f"at most {MOST_EXPLAINED} transactions can be explained in one request, got {count}",
            "transactions",
        )


class Explanations:
    """The champion's explanations; `explainer` is None where its version has no background rows."""

    def __init__(
        self, card: Card, explainer: Explainer | None, live_percent: int, recorder: Recorder
    ) -> None:
        self._version = card.version
        self._names = [feature.name for feature in card.features]
        self._explainer = explainer
        self._live_percent = live_percent
        self._recorder = recorder
        self._worker = BackgroundWorker("live explanations", capacity=8)
        self._bucket = TokenBucket(MOST_SAMPLED_PER_SECOND)
        self._chance = np.random.default_rng()

    def check_possible(self, count: int) -> None:
        """Raises ApiError unless `count` transactions can be explained in one request."""
        self._require_explainer()
        check_explained_count(count)

    def explain(self, row: Row) -> dict[str, object]:
        """Base value and each feature's contribution, in units of probability."""
        explanation = self._require_explainer().explain(row)
        errors = explanation.standard_errors
        return {
            "base_value": explanation.base_value,
            "contributions": dict(zip(self._names, explanation.contributions, strict=True)),
            "standard_errors": dict(zip(self._names, errors, strict=True)) if errors else None,
        }

    def sample_live(self, rows: Sequence[Row]) -> None:
        """Explain a share of live transactions in the background, for the features' live
        importance; what is beyond the bound, or does not fit into the queue, is dropped."""
        if self._explainer is None or not self._live_percent:
            return
        for row in rows:
            if random.random() * 100 < self._live_percent and self._bucket.take():
                self._worker.submit(partial(self._record, self._explainer, row))

    def _record(self, explainer: Explainer, row: Row) -> None:
        contributions = explainer.estimate(row, self._chance).contributions
        if not math.isfinite(sum(contributions)):
            return  # A sum that takes what is no number is none for ever.
        self._recorder.record_explanation(dict(zip(self._names, contributions, strict=True)))

    def _require_explainer(self) -> Explainer:
        if self._explainer is None:
            raise ApiError(
                "unavailable",
                f"model {self._version} was published without the rows that explanations need",
            )
        return self._explainer
