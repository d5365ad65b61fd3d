"""The scoring path: `predict(request) → answer`, a plain function that knows no web framework.

PredictRequest ─▶ read (validated against the card) ─▶ score ─▶ record ─▶ answer with receipts
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from model.serving.card import Card
from model.serving.cohorts import find_cohort
from model.serving.features import InvalidTransaction, Transaction, TransactionReader
from model.serving.vocabulary import FRAUD, LEGITIMATE, PROBLEM_OF_ERROR
from service.decisions import Prediction, decide, decide_class
from service.errors import ApiError
from service.explanations import Explanations
from service.model_router import ModelRouter
from service.receipts import Receipts, ShadowPrediction
from service.requests import LONGEST_ECHO, PredictRequest, read_list, read_object
from telemetry.metrics import (
    ATTRIBUTE_CLASS_NAME,
    ATTRIBUTE_COUNT,
    ATTRIBUTE_MODEL_VERSION,
    CHAMPION,
    LIVE_ENDPOINT,
)
from telemetry.recorder import Recorder, ScoredTransaction, ScoringCall
from telemetry.tracing import Spans

_BATCH = "transactions"


@dataclass(frozen=True, slots=True)
class PredictionResult:
    """Scored transactions, the card and role of the model that scored them, and for each what the
    other model said of it, where that is known."""

    card: Card
    role: str
    transactions: list[ScoredTransaction]
    shadows: list[ShadowPrediction | None]


class Predictor:
    """The scoring path of one champion, the same for single requests and batches."""

    def __init__(
        self,
        card: Card,
        router: ModelRouter,
        explanations: Explanations,
        receipts: Receipts,
        recorder: Recorder,
        spans: Spans,
        max_batch: int,
    ) -> None:
        self._reader = TransactionReader(card)
        self._features = frozenset(feature.name for feature in card.features)
        self._router = router
        self._explanations = explanations
        self._receipts = receipts
        self._recorder = recorder
        self._spans = spans
        self._max_batch = max_batch

    def predict(self, request: PredictRequest) -> dict[str, object]:
        """The answer to one transaction, or to {"transactions": […]}; raises ApiError.

        With `explain` each prediction has its `explanation`, for at most MOST_EXPLAINED of them.
        """
        body = request.body
        if isinstance(body, dict) and _BATCH in body:
            with self._spans.validating():
                transactions = self._read_batch(body)
            result, answers = self._answer(transactions, request)
            return {"predictions": answers, "model_version": result.card.version}
        with self._spans.validating():
            transaction = self.read_transaction(body)
        result, [answer] = self._answer([transaction], request)
        return {**answer, "model_version": result.card.version}

    def read_transaction(self, body: object, place: str = "") -> Transaction:
        """A valid transaction; an ApiError names the first problem, at its `place` in a batch."""
        try:
            return self._reader.read(body)
        except InvalidTransaction as invalid:
            if invalid.field in self._features and invalid.type in PROBLEM_OF_ERROR:
                self._recorder.record_bad_value(invalid.field, PROBLEM_OF_ERROR[invalid.type])
            raise _refuse(invalid, place) from None

    def score(
        self, transactions: Sequence[Transaction], endpoint: str, routing_key: str | None = None
    ) -> PredictionResult:
        """Score, decide and count; with a routing key the challenger may take part."""
        with self._spans.scoring() as span:
            started = time.perf_counter()
            routed = self._router.score([one.row for one in transactions], routing_key)
            seconds = time.perf_counter() - started
            card = routed.prediction.card
            pairs = zip(transactions, routed.prediction.probabilities, strict=True)
            scored = [decide(card, one, probability) for one, probability in pairs]
            fraud = any(one.class_name == FRAUD for one in scored)
            span.set_attributes(
                {
                    ATTRIBUTE_CLASS_NAME: FRAUD if fraud else LEGITIMATE,
                    ATTRIBUTE_COUNT: len(scored),
                    ATTRIBUTE_MODEL_VERSION: card.version,
                }
            )
            self._recorder.record_predictions(ScoringCall(endpoint, routed.role, scored, seconds))
        shadow = routed.await_shadow()
        return PredictionResult(card, routed.role, scored, _describe_shadow(shadow, len(scored)))

    def _read_batch(self, body: Mapping[str, object]) -> list[Transaction]:
        rows = read_list(read_object(body, (_BATCH,))[_BATCH], _BATCH, self._max_batch)
        return [self.read_transaction(row, f"{_BATCH}[{n}].") for n, row in enumerate(rows)]

    def _answer(
        self, transactions: Sequence[Transaction], request: PredictRequest
    ) -> tuple[PredictionResult, list[dict[str, object]]]:
        if request.explain:
            # Before anything is counted: what is refused is not predicted.
            self._explanations.check_possible(len(transactions))
        # Explanations are the champion's, so it answers where they are wanted.
        key = None if request.explain else request.routing_key
        result = self.score(transactions, LIVE_ENDPOINT, key)
        pairs = zip(result.transactions, result.shadows, strict=True)
        answers = [self._answer_one(result, one, shadow) for one, shadow in pairs]
        if request.explain:
            for answer, transaction in zip(answers, transactions, strict=True):
                answer["explanation"] = self._explanations.explain(transaction.row)
        else:
            self._explanations.sample_live([one.row for one in transactions])
        return result, answers

    def _answer_one(
        self, result: PredictionResult, one: ScoredTransaction, shadow: ShadowPrediction | None
    ) -> dict[str, object]:
        if shadow is not None:
            pair = (one.class_name, shadow.class_name)
            champion, challenger = pair if result.role == CHAMPION else pair[::-1]
            cohort = find_cohort(time.time())
            self._recorder.record_paired_prediction(champion, challenger, cohort)
        receipt = self._receipts.issue(
            result.card.version,
            one.class_name,
            one.probability,
            one.user_type,
            one.value_band,
            shadow,
        )
        return {
            "prediction": one.class_name,
            "fraud_probability": one.probability,
            "risk_level": one.risk_level,
            "user_type": one.user_type,
            "receipt": receipt,
        }


def _describe_shadow(other: Prediction | None, count: int) -> list[ShadowPrediction | None]:
    """The other model's predictions of `count` transactions, as receipts carry them."""
    if other is None:
        return [None] * count
    version, threshold = other.card.version, other.card.threshold
    return [
        ShadowPrediction(version, decide_class(probability, threshold), probability)
        for probability in other.probabilities
    ]


def _refuse(invalid: InvalidTransaction, place: str) -> ApiError:
    """The refusal, with the transaction's place in its batch before the field's name."""
    if invalid.field is None:
        where = place.rstrip(".")
        message = f"{where}: {invalid.message}" if where else invalid.message
        return ApiError(invalid.type, message, where or None)
    field = place + invalid.field[:LONGEST_ECHO]
    return ApiError(invalid.type, place + invalid.message, field)
