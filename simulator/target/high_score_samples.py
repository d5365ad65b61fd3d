"""What the target's model takes for fraud: asked before the run, where the process is not known."""

from __future__ import annotations

import json
from collections.abc import Sequence
from random import Random
from typing import Final

import aiohttp

from simulator.contract.errors import TargetError
from simulator.contract.model_info import ModelInfo
from simulator.target.batch_limits import TRANSACTIONS, most_in_batch
from simulator.target.predict import read_text
from simulator.transactions.marginal_source import Customers, Drawn, Transaction

KEPT: Final = 20
_FIRST: Final = 150
_ROUNDS: Final = 7
_EACH_ROUND: Final = 50
ASKED: Final = _FIRST + _ROUNDS * _EACH_ROUND
# Of a successor's values so many are new, the others its parents'.
_NEW: Final = 0.2

_Scored = tuple[float, Transaction]


async def find_suspects(
    client: aiohttp.ClientSession, target: str, info: ModelInfo, random: Random
) -> list[Drawn]:
    """KEPT transactions that the model scores high; raises TargetError.

    Usual ones hardly ever are, where many features have to come together: so the highest of them
    are crossed, with some new values, again and again. All values are usual ones of their feature.
    ASKED transactions go to /predict in all, and count there as predictions.
    """
    batch = await most_in_batch(client, target, TRANSACTIONS, _EACH_ROUND)

    async def scored(transactions: list[Transaction]) -> list[_Scored]:
        scores: list[float] = []
        for start in range(0, len(transactions), batch):
            part = transactions[start : start + batch]
            scores += await _scores(client, f"{target}/predict", part)
        return list(zip(scores, transactions, strict=True))

    customers = Customers(info)
    best = _best(await scored([_usual(customers, random) for _ in range(_FIRST)]))
    for _ in range(_ROUNDS):
        successors = [
            _successor(best, _usual(customers, random), random) for _ in range(_EACH_ROUND)
        ]
        best = _best(best + await scored(successors))
    return [Drawn(transaction, None) for _, transaction in best]


def _usual(customers: Customers, random: Random) -> Transaction:
    """Without the customer's type, which follows from the values."""
    transaction = customers.draw(random).transaction
    return {name: value for name, value in transaction.items() if name in customers.features}


def _best(scored: list[_Scored]) -> list[_Scored]:
    return sorted(scored, key=lambda each: -each[0])[:KEPT]


def _successor(best: list[_Scored], new: Transaction, random: Random) -> Transaction:
    parents = [best[int(random.random() * len(best))][1] for _ in range(2)]
    return {
        name: new[name] if random.random() < _NEW else parents[random.random() < 0.5][name]
        for name in new
    }


async def _scores(
    client: aiohttp.ClientSession, url: str, transactions: Sequence[Transaction]
) -> list[float]:
    body = {"transactions": transactions}
    try:
        async with client.post(url, json=body, allow_redirects=False) as got:
            text = await read_text(got)
            rows = json.loads(text)["predictions"] if got.status == 200 else []
        scores = [float(row["fraud_probability"]) for row in rows]
    except (aiohttp.ClientError, OSError, ValueError, KeyError, TypeError):
        scores = []
    if len(scores) != len(transactions):
        raise TargetError(
            f"{url} did not score a batch of {len(transactions)}; fraud-burst finds its frauds so"
        )
    return scores
