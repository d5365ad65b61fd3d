"""POST /feedback: one batch of labels, and what came of each."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Protocol

import aiohttp

from simulator.contract.vocabulary import BATCH_SIZE_ERROR, FEEDBACK_PATH
from simulator.target.connection import TargetClient, name_failure, read_body
from simulator.target.json_text import parse_json
from simulator.target.predict import parse_response

# A receipt is some 250 bytes, so this is a quarter of the body that a target takes by default.
DEFAULT_BATCH: Final = 200

# Request Timeout, Too Early, Too Many Requests.
_RETRYABLE: Final = frozenset({408, 425, 429})


@dataclass(frozen=True, slots=True)
class NotAccepted:
    """As far as is known no label was counted; `reason`: the status, or why there is none.

    `final`: sending it again is of no use. `too_many`: fewer at once may be accepted.
    """

    reason: str
    final: bool = False
    too_many: bool = False


class PostFeedback(Protocol):
    """Sends (receipt, label) pairs: the result of each, or why none was accepted.

    Raises only when it is cancelled.
    """

    async def __call__(self, entries: Sequence[tuple[str, str]]) -> list[str] | NotAccepted: ...


def build_feedback_sender(client: TargetClient) -> PostFeedback:
    """Sends labels to the target's /feedback."""

    async def post(entries: Sequence[tuple[str, str]]) -> list[str] | NotAccepted:
        rows = [{"receipt": receipt, "label": label} for receipt, label in entries]
        body = json.dumps({"feedback": rows}).encode()
        try:
            async with client.post_json(FEEDBACK_PATH, body) as response:
                return parse_results(response.status, await read_body(response), len(rows))
        except (aiohttp.ClientError, OSError) as error:
            return NotAccepted(name_failure(error))

    return post


def parse_results(status: int, body: bytes, number: int) -> list[str] | NotAccepted:
    """The results of `number` entries, or why there are none."""
    if status != 200:
        error_type = parse_response(status, body).error_type
        too_many = status == 413 or error_type == BATCH_SIZE_ERROR
        retryable = status in _RETRYABLE or status >= 500
        return NotAccepted(str(status), final=not retryable, too_many=too_many)
    try:
        results = [row["result"] for row in parse_json(body)["results"]]
    except (ValueError, KeyError, TypeError):
        return NotAccepted("200 without results", final=True)
    if len(results) != number or not all(isinstance(result, str) for result in results):
        return NotAccepted("200 with other results", final=True)
    return results
