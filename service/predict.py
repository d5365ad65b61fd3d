"""The scoring path: `predict(request) → answer`, a plain function that knows no web framework.

PredictRequest ─▶ read (validated against the card) ─▶ score ─▶ record ─▶ answer with receipts
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence

import msgspec

from model.serving.card import Card
from model.serving.cohorts import find_cohort
from model.serving.features import Transaction, TransactionReader
from model.serving.invalid_transaction import InvalidTransaction
from model.serving.vocabulary import FRAUD, LEGITIMATE, PROBLEM_OF_ERROR
from service.decisions import Prediction, decide_all, decide_class
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
from telemetry.prediction_counts import ScoredTransaction
from telemetry.recorder import Recorder, ScoringCall
from telemetry.tracing import Spans

BATCH = "transactions"


class PredictionResult(msgspec.Struct, frozen=True):
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
        self.card = card
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
        if isinstance(body, dict) and BATCH in body:
            with self._spans.validating():
                transactions = self.read_batch(body)
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
            scored = decide_all(routed.prediction, transactions)
            fraud = any(one.class_name == FRAUD for one in scored)
            span.set_attributes(
                {
                    ATTRIBUTE_CLASS_NAME: FRAUD if fraud else LEGITIMATE,
                    ATTRIBUTE_COUNT: len(scored),
                    ATTRIBUTE_MODEL_VERSION: card.version,
                }
            )
            by_champion = scored if routed.role == CHAMPION else []
            if routed.champion is not None and routed.role != CHAMPION:
                by_champion = decide_all(routed.champion, transactions)
            call = ScoringCall(endpoint, routed.role, scored, seconds, by_champion)
            self._recorder.record_predictions(call)
        shadow = routed.await_shadow()
        return PredictionResult(card, routed.role, scored, _describe_shadow(shadow, len(scored)))

    def read_batch(self, body: Mapping[str, object]) -> list[Transaction]:
        rows = read_list(read_object(body, (BATCH,))[BATCH], BATCH, self._max_batch)
        try:
            return self._reader.read_all(rows)
        except InvalidTransaction:
            # One by one, to say what is the first thing wrong and where.
            return [self.read_transaction(row, f"{BATCH}[{n}].") for n, row in enumerate(rows)]

    def _answer(
        self, transactions: Sequence[Transaction], request: PredictRequest
    ) -> tuple[PredictionResult, list[dict[str, object]]]:
        if request.explain:
            # Before anything is counted: what is refused is not predicted.
            self._explanations.check_possible(len(transactions))
        # Explanations are the champion's, so it answers where they are wanted.
        key = None if request.explain else request.routing_key
        result = self.score(transactions, LIVE_ENDPOINT, key)
        answers = self._describe(result)
        if request.explain:
            for answer, transaction in zip(answers, transactions, strict=True):
                answer["explanation"] = self._explanations.explain(transaction.row)
        else:
            self._explanations.sample_live([one.row for one in transactions])
        return result, answers

    def _describe(self, result: PredictionResult) -> list[dict[str, object]]:
        """What the caller is told of each transaction."""
        self._count_pairs(result)
        receipts = self._receipts.issue_all(
            result.card.version, result.transactions, result.shadows
        )
        return [
            {
                "prediction": one.class_name,
                "fraud_probability": one.probability,
                "risk_level": one.risk_level,
                "user_type": one.user_type,
                "receipt": receipt,
            }
            for one, receipt in zip(result.transactions, receipts, strict=True)
        ]

    def _count_pairs(self, result: PredictionResult) -> None:
        """Count the receipts that carry both models' decisions."""
        pairs = [
            (one.class_name, shadow.class_name)
            for one, shadow in zip(result.transactions, result.shadows, strict=True)
            if shadow is not None
        ]
        if pairs:
            by_role = pairs if result.role == CHAMPION else [(b, a) for a, b in pairs]
            self._recorder.record_paired_predictions(by_role, find_cohort(time.time()))


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
