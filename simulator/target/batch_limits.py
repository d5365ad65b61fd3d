"""How much the target takes in one request, as far as its own description says."""

from __future__ import annotations

import json
from typing import Final

import aiohttp

from simulator.target.predict import read_text

# Schema in /openapi.json and its member that is the list.
TRANSACTIONS: Final = ("Batch", "transactions")
LABELS: Final = ("FeedbackBatch", "feedback")


async def most_in_batch(
    client: aiohttp.ClientSession, target: str, what: tuple[str, str], usual: int
) -> int:
    """`usual`, or fewer where the target's /openapi.json says so; 1 at least."""
    schema, member = what
    try:
        async with client.get(f"{target}/openapi.json", allow_redirects=False) as got:
            schemas = json.loads(await read_text(got))["components"]["schemas"]
        return max(1, min(usual, int(schemas[schema]["properties"][member]["maxItems"])))
    except (aiohttp.ClientError, OSError, ValueError, KeyError, TypeError):
        return usual
