"""Made-up transactions through the scoring path, for POST /simulate_traffic."""

from __future__ import annotations

import random
import time
from dataclasses import dataclass
from functools import cached_property

from model.serving.card import Card
from model.serving.features import TransactionReader
from model.serving.invalid_transaction import InvalidTransaction
from model.serving.sampling import TransactionSampler
from model.serving.vocabulary import FRAUD, LEGITIMATE
from service.predict import Predictor
from telemetry.metrics import SIMULATION_ENDPOINT
from telemetry.recorder import Recorder

# Share of the simulated transactions that lack a field, as real traffic has its faults.
FAULTY_SHARE = 0.02
_ERRORS = "errors"


@dataclass(frozen=True)
class SimulationResult:
    """Transactions by decision, those that were refused, and the time that all took."""

    fraud: int
    legitimate: int
    errors: int
    seconds: float


class TrafficSimulation:
    """Draws transactions as the training rows were distributed, and scores them one by one."""

    def __init__(self, card: Card, predictor: Predictor, recorder: Recorder) -> None:
        self._names = [feature.name for feature in card.features]
        self._card = card
        # Its own: what the predictor's refuses is counted as a fault of live data.
        self._reader = TransactionReader(card)
        self._predictor = predictor
        self._recorder = recorder

    @cached_property
    def _sampler(self) -> TransactionSampler:
        """Made at the first use: it takes some tenths of a second with many features."""
        return TransactionSampler(self._card)

    def run(self, count: int, seed: int) -> SimulationResult:
        """Score `count` transactions, FAULTY_SHARE of them lacking a field."""
        started = time.perf_counter()
        draw = random.Random(seed)
        counts = {FRAUD: 0, LEGITIMATE: 0, _ERRORS: 0}
        for _ in range(count):
            counts[self._score_one(draw)] += 1
        seconds = time.perf_counter() - started
        return SimulationResult(counts[FRAUD], counts[LEGITIMATE], counts[_ERRORS], seconds)

    def _score_one(self, draw: random.Random) -> str:
        body = self._sampler.sample(draw)
        if draw.random() < FAULTY_SHARE:
            del body[draw.choice(self._names)]
        try:
            transaction = self._reader.read(body)
        except InvalidTransaction as error:
            self._recorder.record_error(error.type, SIMULATION_ENDPOINT)
            return _ERRORS
        [scored] = self._predictor.score([transaction], SIMULATION_ENDPOINT).transactions
        return scored.class_name
