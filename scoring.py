"""From a decoded body to counted, answered predictions: check, score, decide, record."""

from __future__ import annotations

import random
import time
from collections.abc import Sequence
from dataclasses import dataclass

from errors import ApiError
from model.card import Card
from model.explain import Explainer, Explanation
from model.features import InvalidTransaction, Transaction, TransactionReader
from model.sampling import sample_transaction
from model.scorer import Scorer
from receipts import Receipts
from telemetry.recorder import Recorder, Scored
from telemetry.table import ATTRIBUTE_CLASS_NAME, ATTRIBUTE_COUNT, ATTRIBUTE_MODEL_VERSION
from telemetry.tracing import Spans

# Reasons cost a few milliseconds each: a longer batch would keep its worker from everybody else.
MOST_EXPLAINED = 10
# Share of the simulated transactions that lack a field, as real traffic has its faults.
FAULTY_SHARE = 0.02
_LONGEST_ECHO = 60


@dataclass(frozen=True)
class Simulated:
    """What one /simulate_traffic did."""

    fraud: int
    legitimate: int
    errors: int
    seconds: float


class Scoring:
    """The scoring path, the same for single requests, batches and simulated traffic."""

    def __init__(
        self,
        scorer: Scorer,
        recorder: Recorder,
        spans: Spans,
        receipts: Receipts,
        max_batch: int,
        explainer: Explainer | None = None,
    ) -> None:
        self._scorer = scorer
        self._card: Card = scorer.card
        self._reader = TransactionReader(scorer.card)
        self._recorder = recorder
        self._spans = spans
        self._receipts = receipts
        self._max_batch = max_batch
        self._explainer = explainer

    def predict(self, body: object, explain: bool) -> dict[str, object]:
        """The answer to one transaction, or to {"transactions": […]}; raises ApiError.

        With `explain` each prediction has its `explanation`, for at most MOST_EXPLAINED of them.
        """
        if isinstance(body, dict) and "transactions" in body:
            transactions = self._batch(body)
            answers = self._answers(transactions, explain)
            return {"predictions": answers, "model_version": self._card.version}
        with self._spans.validating():
            transaction = self._read(body)
        [answer] = self._answers([transaction], explain)
        return {**answer, "model_version": self._card.version}

    def simulate(self, count: int, seed: int) -> Simulated:
        """Score `count` made-up transactions, one by one, FAULTY_SHARE of them lacking a field."""
        started = time.perf_counter()
        chance = random.Random(seed)
        counts = {"fraud": 0, "legitimate": 0, "errors": 0}
        for _ in range(count):
            counts[self._simulate_one(chance)] += 1
        return Simulated(**counts, seconds=time.perf_counter() - started)

    def _simulate_one(self, chance: random.Random) -> str:
        body = sample_transaction(self._card, chance)
        if chance.random() < FAULTY_SHARE:
            del body[chance.choice(self._card.features).name]
        try:
            transaction = self._read(body)
        except ApiError as error:
            self._recorder.refused(error.type, "/simulate_traffic")
            return "errors"
        [scored] = self._score([transaction], "/simulate_traffic")
        return scored.class_name

    def _batch(self, body: dict[str, object]) -> list[Transaction]:
        rows = body["transactions"]
        with self._spans.validating():
            if extra := [name for name in body if name != "transactions"]:
                raise ApiError(
                    "unknown_field",
                    f"{extra[0][:_LONGEST_ECHO]!r} is not known beside transactions",
                    extra[0][:_LONGEST_ECHO],
                )
            if not isinstance(rows, list):
                raise ApiError(
                    "wrong_type",
                    f"transactions must be a list, got {type(rows).__name__}",
                    "transactions",
                )
            if not 1 <= len(rows) <= self._max_batch:
                raise ApiError(
                    "batch_size",
                    f"transactions must hold 1 to {self._max_batch} entries, got {len(rows)}",
                    "transactions",
                )
            return [self._read(row, f"transactions[{n}].") for n, row in enumerate(rows)]

    def _read(self, body: object, prefix: str = "") -> Transaction:
        try:
            return self._reader.read(body)
        except InvalidTransaction as invalid:
            raise _named(invalid, prefix) from None

    def _answers(
        self, transactions: Sequence[Transaction], explain: bool
    ) -> list[dict[str, object]]:
        # Before anything is counted: what is refused is not predicted.
        explainer = self._explainer_for(len(transactions)) if explain else None
        answers = self._plain_answers(transactions)
        if explainer is not None:
            for answer, one in zip(answers, transactions, strict=True):
                answer["explanation"] = self._reason(explainer.explain(one.row))
        return answers

    def _explainer_for(self, count: int) -> Explainer:
        if self._explainer is None:
            raise ApiError(
                "unavailable",
                f"model {self._card.version} was published without the rows that reasons need",
            )
        if count > MOST_EXPLAINED:
            raise ApiError(
                "batch_size",
                f"at most {MOST_EXPLAINED} transactions can be explained in one request,"
                f" got {count}",
                "transactions",
            )
        return self._explainer

    def _reason(self, explanation: Explanation) -> dict[str, object]:
        names = [feature.name for feature in self._card.features]
        errors = explanation.standard_errors
        return {
            "base_value": explanation.base_value,
            "contributions": dict(zip(names, explanation.contributions, strict=True)),
            "standard_errors": dict(zip(names, errors, strict=True)) if errors else None,
        }

    def _plain_answers(self, transactions: Sequence[Transaction]) -> list[dict[str, object]]:
        return [
            {
                "prediction": one.class_name,
                "fraud_probability": one.probability,
                "risk_level": one.risk_level,
                "user_type": one.user_type,
                "receipt": self._receipts.issue(
                    self._card.version,
                    one.class_name,
                    one.probability,
                    one.user_type,
                    one.value_band,
                ),
            }
            for one in self._score(transactions, "/predict")
        ]

    def _score(self, transactions: Sequence[Transaction], endpoint: str) -> list[Scored]:
        with self._spans.scoring() as span:
            started = time.perf_counter()
            probabilities = self._scorer.score([one.row for one in transactions])
            seconds = time.perf_counter() - started
            pairs = zip(transactions, probabilities, strict=True)
            scored = [self._decided(one, probability) for one, probability in pairs]
            fraud = any(one.class_name == "fraud" for one in scored)
            span.set_attributes(
                {
                    ATTRIBUTE_CLASS_NAME: "fraud" if fraud else "legitimate",
                    ATTRIBUTE_COUNT: len(scored),
                    ATTRIBUTE_MODEL_VERSION: self._card.version,
                }
            )
            self._recorder.scored(endpoint, scored, seconds)
        return scored

    def _decided(self, transaction: Transaction, probability: float) -> Scored:
        levels = self._card.risk_levels
        if probability >= levels.high:
            risk = "high"
        else:
            risk = "medium" if probability >= levels.medium else "low"
        return Scored(
            class_name="fraud" if probability >= self._card.threshold else "legitimate",
            user_type=transaction.user_type,
            risk_level=risk,
            probability=probability,
            value=transaction.value,
            value_band=transaction.value_band,
        )


def _named(invalid: InvalidTransaction, prefix: str) -> ApiError:
    """The refusal, with the transaction's place in its batch before the field's name."""
    if invalid.field is None:
        place = prefix.rstrip(".")
        message = f"{place}: {invalid.message}" if place else invalid.message
        return ApiError(invalid.type, message, place or None)
    field = prefix + invalid.field[:_LONGEST_ECHO]
    return ApiError(invalid.type, prefix + invalid.message, field)
