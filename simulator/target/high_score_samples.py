"""Transactions that the target's model scores high, searched before a run.

For a fraud burst against a model whose process is not known.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from random import Random
from typing import Final

import aiohttp

from simulator.contract.errors import TargetError
from simulator.contract.model_info import ModelInfo
from simulator.contract.vocabulary import PREDICT_PATH, STATUS_OF_ERROR, TOO_LARGE
from simulator.target.batch_limits import TRANSACTIONS, read_batch_limit
from simulator.target.connection import TargetClient, read_body
from simulator.target.json_text import parse_json, read_share
from simulator.transactions.random_numbers import choose
from simulator.transactions.training_source import TrainingSource
from simulator.transactions.transaction import SampledTransaction, Transaction

KEPT: Final = 20
_FIRST: Final = 150
_GENERATIONS: Final = 7
_OFFSPRING: Final = 50
SCORED: Final = _FIRST + _GENERATIONS * _OFFSPRING
# Share of an offspring's values that are drawn anew; the others are its parents'.
_MUTATION_SHARE: Final = 0.2


@dataclass(frozen=True)
class _Scored:
    score: float
    transaction: Transaction


async def find_high_score_samples(
    client: TargetClient, info: ModelInfo, random: Random
) -> list[SampledTransaction]:
    """KEPT transactions that the model scores high; raises TargetError.

    A genetic search: usual transactions hardly ever score high where many features have to come
    together, so the highest of them are crossed and mutated, again and again. All values are usual
    ones of their feature. SCORED transactions go to /predict, and count there as predictions.
    """
    batch = await read_batch_limit(client, TRANSACTIONS, _OFFSPRING)
    source = TrainingSource(info)
    first = [_sample_features(source, random) for _ in range(_FIRST)]
    best = _keep_best(await _score_all(client, first, batch))
    for _ in range(_GENERATIONS):
        offspring = [
            _cross(best, _sample_features(source, random), random) for _ in range(_OFFSPRING)
        ]
        best = _keep_best(best + await _score_all(client, offspring, batch))
    return [SampledTransaction(scored.transaction, None) for scored in best]


def _sample_features(source: TrainingSource, random: Random) -> Transaction:
    """Without the user type, which follows from the values."""
    transaction = source.sample(random).transaction
    return {name: value for name, value in transaction.items() if name in source.features}


def _keep_best(scored: list[_Scored]) -> list[_Scored]:
    return sorted(scored, key=lambda each: -each.score)[:KEPT]


def _cross(best: list[_Scored], new: Transaction, random: Random) -> Transaction:
    parents = [choose(best, random).transaction for _ in range(2)]
    return {
        name: new[name]
        if random.random() < _MUTATION_SHARE
        else parents[random.random() < 0.5][name]
        for name in new
    }


async def _score_all(
    client: TargetClient, transactions: Sequence[Transaction], batch: int
) -> list[_Scored]:
    scored: list[_Scored] = []
    for start in range(0, len(transactions), batch):
        scored += await _score_batch(client, transactions[start : start + batch])
    return scored


async def _score_batch(client: TargetClient, transactions: Sequence[Transaction]) -> list[_Scored]:
    """In halves where the batch has too many bytes, as with hundreds of features."""
    body = json.dumps({"transactions": transactions}).encode()
    try:
        async with client.post_json(PREDICT_PATH, body) as response:
            status, answer = response.status, await read_body(response)
    except (aiohttp.ClientError, OSError):
        status, answer = 0, b""
    if status == STATUS_OF_ERROR[TOO_LARGE] and len(transactions) > 1:
        middle = len(transactions) // 2
        first = await _score_batch(client, transactions[:middle])
        return first + await _score_batch(client, transactions[middle:])
    scores = _parse_scores(answer) if status == 200 else []
    if len(scores) != len(transactions):
        raise TargetError(
            f"{client.address.url}{PREDICT_PATH} did not score a batch of {len(transactions)}"
            " transactions; the scenario fraud-burst searches its samples so"
        )
    return [_Scored(*each) for each in zip(scores, transactions, strict=True)]


def _parse_scores(answer: bytes) -> list[float]:
    """The fraud probabilities; fewer than transactions where the answer is no list of them."""
    try:
        rows = parse_json(answer)["predictions"]
        scores = [read_share(row["fraud_probability"]) for row in rows]
    except (ValueError, KeyError, TypeError):
        return []
    return [score for score in scores if score is not None]
