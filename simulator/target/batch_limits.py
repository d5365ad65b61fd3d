"""How many entries the target takes in one request, as far as its API's description says."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import aiohttp

from simulator.contract.vocabulary import OPENAPI_PATH
from simulator.target.connection import TargetClient, read_body
from simulator.target.json_text import parse_json


@dataclass(frozen=True)
class BatchList:
    """A list in the API's description: the schema, and the member of it that is the list."""

    schema: str
    member: str


TRANSACTIONS: Final = BatchList("Batch", "transactions")
LABELS: Final = BatchList("FeedbackBatch", "feedback")


async def read_batch_limit(client: TargetClient, batch: BatchList, default: int) -> int:
    """`default`, or fewer where the target's /openapi.json says so; 1 at least."""
    try:
        async with client.get(OPENAPI_PATH) as response:
            schemas = parse_json(await read_body(response))["components"]["schemas"]
        limit = int(schemas[batch.schema]["properties"][batch.member]["maxItems"])
    except (aiohttp.ClientError, OSError, ValueError, KeyError, TypeError, OverflowError):
        return default
    return max(1, min(default, limit))
