"""Labels over HTTP: one batch to POST /feedback, and what came of it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Protocol

import aiohttp

from simulator.target.predict import read_answer, read_text, reason_of

# A receipt is some 250 bytes, so this is a quarter of the body that a target takes by default.
USUAL_BATCH: Final = 200


@dataclass(frozen=True, slots=True)
class NotTaken:
    """As far as is known no label was counted; `reason`: the status, or why there is none.

    `final`: sending it again is of no use. `too_many`: fewer at once may be taken.
    """

    reason: str
    final: bool = False
    too_many: bool = False


class PostFeedback(Protocol):
    """Sends (receipt, label) pairs; what the target says of each, or that it took none."""

    async def __call__(self, entries: Sequence[tuple[str, str]]) -> list[str] | NotTaken: ...


def feedback_poster(client: aiohttp.ClientSession, target: str) -> PostFeedback:
    """Sends to `POST {target}/feedback`; raises only when it is cancelled."""
    url = f"{target}/feedback"

    async def post(entries: Sequence[tuple[str, str]]) -> list[str] | NotTaken:
        rows = [{"receipt": receipt, "label": label} for receipt, label in entries]
        body = json.dumps({"feedback": rows}).encode()
        headers = {"Content-Type": "application/json"}
        try:
            async with client.post(url, data=body, headers=headers, allow_redirects=False) as got:
                return read_results(got.status, await read_text(got), len(rows))
        except (aiohttp.ClientError, OSError) as error:
            return NotTaken(reason_of(error))

    return post


def read_results(status: int, body: bytes, number: int) -> list[str] | NotTaken:
    """The results of `number` entries, or why there are none."""
    if status != 200:
        of_size = status == 413 or read_answer(status, body).error_type == "batch_size"
        again = status in (408, 425, 429) or status >= 500
        return NotTaken(str(status), final=not again, too_many=of_size)
    try:
        results = [row["result"] for row in json.loads(body)["results"]]
    except (ValueError, KeyError, TypeError):
        return NotTaken("200 without results", final=True)
    if len(results) != number or not all(isinstance(result, str) for result in results):
        return NotTaken("200 with other results", final=True)
    return results
