"""From a decoded body to counted, answered predictions: check, score, decide, record."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

from model.serving.card import Card
from model.serving.explain import Explainer, Explanation
from model.serving.features import InvalidTransaction, Transaction, TransactionReader
from model.serving.sampling import sample_transaction
from model.serving.scorer import Scorer
from model.serving.vocabulary import PROBLEM_OF_ERROR
from service.background import Aside
from service.challenger import Challenger, class_of
from service.errors import ApiError
from service.receipts import Receipts, Second
from telemetry.lifecycle import Telemetry
from telemetry.metrics import ATTRIBUTE_CLASS_NAME, ATTRIBUTE_COUNT, ATTRIBUTE_MODEL_VERSION
from telemetry.recorder import Scored

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


@dataclass(frozen=True)
class Companions:
    """What may stand beside the model: reasons, a share of them taken live, and a second model."""

    explainer: Explainer | None = None
    explain_percent: int = 0
    challenger: Challenger | None = None


@dataclass(frozen=True)
class Answered:
    """Scored transactions, the model that scored them, and what the other one said of them."""

    card: Card
    scored: list[Scored]
    seconds: list[Second | None]


@dataclass(frozen=True)
class Judgement:
    """A model's probabilities of some transactions."""

    card: Card
    probabilities: list[float]

    def seconds(self) -> list[Second | None]:
        """As another model's receipts carry it."""
        version, threshold = self.card.version, self.card.threshold
        return [Second(version, class_of(p, threshold), p) for p in self.probabilities]


Other = Callable[[], Judgement | None]


def _nobody() -> None:
    """There is no other model's judgement."""


class Scoring:
    """The scoring path, the same for single requests, batches and simulated traffic."""

    def __init__(
        self,
        scorer: Scorer,
        telemetry: Telemetry,
        receipts: Receipts,
        max_batch: int,
        companions: Companions,
    ) -> None:
        self._scorer = scorer
        self._card: Card = scorer.card
        self._features = frozenset(feature.name for feature in scorer.card.features)
        self._reader = TransactionReader(scorer.card)
        self._recorder = telemetry.recorder
        self._spans = telemetry.spans
        self._receipts = receipts
        self._max_batch = max_batch
        self._companions = companions
        self._aside = Aside("live reasons", places=8)

    def predict(self, body: object, explain: bool, key: str) -> dict[str, object]:
        """The answer to one transaction, or to {"transactions": […]}; raises ApiError.

        With `explain` each prediction has its `explanation`, for at most MOST_EXPLAINED of them.
        The challenger answers the share of the keys that is its own.
        """
        if isinstance(body, dict) and "transactions" in body:
            answered, answers = self._answers(self._batch(body), explain, key)
            return {"predictions": answers, "model_version": answered.card.version}
        with self._spans.validating():
            transaction = self._read(body)
        answered, [answer] = self._answers([transaction], explain, key)
        return {**answer, "model_version": answered.card.version}

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
        [scored] = self._score([transaction], "/simulate_traffic", None).scored
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
            if invalid.field in self._features and invalid.type in PROBLEM_OF_ERROR:
                self._recorder.bad_value(invalid.field, PROBLEM_OF_ERROR[invalid.type])
            raise _named(invalid, prefix) from None

    def _answers(
        self, transactions: Sequence[Transaction], explain: bool, key: str
    ) -> tuple[Answered, list[dict[str, object]]]:
        # Before anything is counted: what is refused is not predicted. Reasons are the champion's.
        explainer = self._explainer_for(len(transactions)) if explain else None
        answered = self._score(transactions, "/predict", None if explain else key)
        pairs = zip(answered.scored, answered.seconds, strict=True)
        answers = [self._answer(answered.card, one, second) for one, second in pairs]
        if explainer is not None:
            for answer, transaction in zip(answers, transactions, strict=True):
                answer["explanation"] = self._reason(explainer.explain(transaction.row))
        else:
            self._sample_reasons(transactions)
        return answered, answers

    def _sample_reasons(self, transactions: Sequence[Transaction]) -> None:
        """Explain a share of the transactions aside, for the live importance of the features."""
        explainer = self._companions.explainer
        if explainer is None:
            return
        for one in transactions:
            if random.random() * 100 < self._companions.explain_percent:
                self._aside.offer(partial(self._count_reasons, explainer, one.row))

    def _count_reasons(self, explainer: Explainer, row: Sequence[float]) -> None:
        self._recorder.explained(self._named_contributions(explainer.explain(row)))

    def _named_contributions(self, explanation: Explanation) -> dict[str, float]:
        names = [feature.name for feature in self._card.features]
        return dict(zip(names, explanation.contributions, strict=True))

    def _explainer_for(self, count: int) -> Explainer:
        if self._companions.explainer is None:
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
        return self._companions.explainer

    def _reason(self, explanation: Explanation) -> dict[str, object]:
        names = [feature.name for feature in self._card.features]
        errors = explanation.standard_errors
        return {
            "base_value": explanation.base_value,
            "contributions": self._named_contributions(explanation),
            "standard_errors": dict(zip(names, errors, strict=True)) if errors else None,
        }

    def _answer(self, card: Card, one: Scored, second: Second | None) -> dict[str, object]:
        receipt = self._receipts.issue(
            card.version, one.class_name, one.probability, one.user_type, one.value_band, second
        )
        return {
            "prediction": one.class_name,
            "fraud_probability": one.probability,
            "risk_level": one.risk_level,
            "user_type": one.user_type,
            "receipt": receipt,
        }

    def _score(
        self, transactions: Sequence[Transaction], endpoint: str, key: str | None
    ) -> Answered:
        """Score and count; with a `key` the challenger answers if the key is its own."""
        with self._spans.scoring() as span:
            started = time.perf_counter()
            own, pending = self._judge([one.row for one in transactions], key)
            seconds = time.perf_counter() - started
            pairs = zip(transactions, own.probabilities, strict=True)
            card = own.card
            scored = [_decided(card, one, probability) for one, probability in pairs]
            fraud = any(one.class_name == "fraud" for one in scored)
            span.set_attributes(
                {
                    ATTRIBUTE_CLASS_NAME: "fraud" if fraud else "legitimate",
                    ATTRIBUTE_COUNT: len(scored),
                    ATTRIBUTE_MODEL_VERSION: card.version,
                }
            )
            self._recorder.scored(endpoint, scored, seconds)
            if endpoint == "/predict":
                for transaction, one in zip(transactions, scored, strict=True):
                    self._recorder.observed(transaction.row, one)
        other = pending()
        return Answered(card, scored, other.seconds() if other else [None] * len(scored))

    def _judge(self, rows: list[list[float]], key: str | None) -> tuple[Judgement, Other]:
        """The judgement that is answered, and how to get the other model's, where there is one."""
        challenger = self._companions.challenger
        if challenger is None or key is None:
            return self._champion(rows), _nobody
        if challenger.serves(key):
            return self._challenged(challenger, rows)
        pending = challenger.shadow(rows)
        champion = self._champion(rows)
        if pending is None:
            return champion, _nobody
        challenger.compare(pending, champion.probabilities, self._card.threshold)

        def other() -> Judgement | None:
            probabilities = pending.take()
            if probabilities is None:
                return None
            return Judgement(challenger.scorer.card, probabilities)

        return champion, other

    def _champion(self, rows: list[list[float]]) -> Judgement:
        probabilities = self._scorer.score(rows)
        self._recorder.served("champion", len(rows))
        return Judgement(self._card, probabilities)

    def _challenged(
        self, challenger: Challenger, rows: list[list[float]]
    ) -> tuple[Judgement, Other]:
        """The challenger's, or in its place the champion's; one that failed does not touch the
        other."""
        begun = challenger.begin(rows)
        try:
            champion = self._scorer.score(rows)
        except Exception:
            champion = None
        own = challenger.finish(begun)
        if own is None:
            # Scored anew, so that a champion that fails too tells why.
            return self._champion(rows), _nobody
        self._recorder.served("challenger", len(rows))
        if champion is None:
            return Judgement(challenger.scorer.card, own), _nobody
        challenger.compared(champion, self._card.threshold, own)
        second = Judgement(self._card, champion)
        return Judgement(challenger.scorer.card, own), lambda: second


def _decided(card: Card, transaction: Transaction, probability: float) -> Scored:
    levels = card.risk_levels
    if probability >= levels.high:
        risk = "high"
    else:
        risk = "medium" if probability >= levels.medium else "low"
    return Scored(
        class_name="fraud" if probability >= card.threshold else "legitimate",
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
