"""What the target's model takes for fraud: asked before the run, where the process is not known."""

from __future__ import annotations

import json
from collections.abc import Sequence
from random import Random
from typing import Final

import aiohttp

from simulator.customers import Customers, Drawn
from simulator.errors import TargetError
from simulator.limits import TRANSACTIONS, most_in_batch
from simulator.model_info import ModelInfo
from simulator.sender import read_text

ASKED: Final = 500
KEPT: Final = 25
_BATCH: Final = 100


async def find_suspects(
    client: aiohttp.ClientSession, target: str, info: ModelInfo, random: Random
) -> list[Drawn]:
    """The KEPT of ASKED usual transactions that the model scores highest; raises TargetError.

    They are asked of /predict in batches, and count there as predictions.
    """
    customers = Customers(info)
    drawn = [customers.draw(random) for _ in range(ASKED)]
    scores: list[float] = []
    batch = await most_in_batch(client, target, TRANSACTIONS, _BATCH)
    for start in range(0, ASKED, batch):
        scores += await _scores(client, f"{target}/predict", drawn[start : start + batch])
    ranked = sorted(range(ASKED), key=lambda place: -scores[place])
    return [drawn[place] for place in ranked[:KEPT]]


async def _scores(client: aiohttp.ClientSession, url: str, drawn: Sequence[Drawn]) -> list[float]:
    body = {"transactions": [each.transaction for each in drawn]}
    try:
        async with client.post(url, json=body, allow_redirects=False) as got:
            text = await read_text(got)
            rows = json.loads(text)["predictions"] if got.status == 200 else []
        scores = [float(row["fraud_probability"]) for row in rows]
    except (aiohttp.ClientError, OSError, ValueError, KeyError, TypeError):
        scores = []
    if len(scores) != len(drawn):
        raise TargetError(
            f"{url} did not score a batch of {len(drawn)}, from which fraud-burst takes its frauds"
        )
    return scores
