"""POST /predict: one request, and the answer to it. Nothing is ever sent twice."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Final, Protocol

import aiohttp

from simulator.contract.vocabulary import FAULT_HEADER, PREDICT_PATH
from simulator.target.connection import Body, TargetClient, name_failure, read_body
from simulator.target.json_text import parse_json, read_share, read_text
from simulator.traffic.planned_request import PlannedRequest

_SPACES: Final = b" " * 65536


@dataclass(frozen=True, slots=True)
class Response:
    """`status`, and of a 200 the prediction, of a refusal its error type; None: not said."""

    status: int
    predicted_class: str | None = None
    user_type: str | None = None
    risk_level: str | None = None
    error_type: str | None = None
    fraud_probability: float | None = None
    receipt: str | None = None


@dataclass(frozen=True, slots=True)
class NoResponse:
    """The request got no answer: TIMEOUT, NOT_CONNECTED or CONNECTION_LOST."""

    reason: str


class SendRequest(Protocol):
    """Sends one request; raises only when it is cancelled."""

    async def __call__(self, request: PlannedRequest) -> Response | NoResponse: ...


def build_sender(client: TargetClient) -> SendRequest:
    """Sends requests to the target's /predict."""

    async def send(request: PlannedRequest) -> Response | NoResponse:
        try:
            return await _post(client, request)
        except (aiohttp.ClientError, OSError) as error:
            return NoResponse(name_failure(error))

    return send


async def _post(client: TargetClient, request: PlannedRequest) -> Response:
    headers = {}
    if request.fault_header is not None:
        headers[FAULT_HEADER] = request.fault_header
    body: Body = request.body
    if request.padding:
        headers["Content-Length"] = str(len(request.body) + request.padding)
        body = _stream_padded(request)
    async with client.post_json(PREDICT_PATH, body, headers) as response:
        return parse_response(response.status, await read_body(response))


async def _stream_padded(request: PlannedRequest) -> AsyncIterator[bytes]:
    """The body in pieces, so that many large ones at once take no memory."""
    yield request.body
    left = request.padding
    while left > 0:
        yield _SPACES[: min(left, len(_SPACES))]
        left -= len(_SPACES)


def parse_response(status: int, body: bytes) -> Response:
    """What the answer says; members that are missing or of another type are None."""
    try:
        document = parse_json(body)
    except ValueError:
        return Response(status)
    if not isinstance(document, dict):
        return Response(status)
    error = document.get("error")
    return Response(
        status=status,
        predicted_class=read_text(document.get("prediction")),
        user_type=read_text(document.get("user_type")),
        risk_level=read_text(document.get("risk_level")),
        error_type=read_text(error.get("type")) if isinstance(error, dict) else None,
        fraud_probability=read_share(document.get("fraud_probability")),
        receipt=read_text(document.get("receipt")),
    )
