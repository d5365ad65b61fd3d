"""One request over HTTP, and what came of it. Nothing is ever sent twice."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Final, Protocol

import aiohttp

from simulator.traffic.request_plan import PlannedRequest

# Answers are some hundred bytes; what is longer is no answer of a scoring service.
_LONGEST_ANSWER: Final = 1024 * 1024

_SPACES: Final = b" " * 65536

# Common servers close an idle connection after 2 s. A POST on a connection that is being closed
# is lost and cannot be repeated safely, so ours are given up earlier.
_IDLE_SECONDS: Final = 1.0

# Asks the target to misbehave; it does where its setting FAULT_HEADERS is on.
FAULT_HEADER: Final = "X-Fault"

TIMEOUT: Final = "timeout"
NOT_CONNECTED: Final = "not_connected"
CONNECTION_LOST: Final = "connection_lost"


@dataclass(frozen=True, slots=True)
class Answer:
    """`status`, and of a 200 the prediction, of a refusal its error type; None: not told."""

    status: int
    predicted: str | None = None
    user_type: str | None = None
    risk_level: str | None = None
    error_type: str | None = None
    probability: float | None = None
    receipt: str | None = None


@dataclass(frozen=True, slots=True)
class NoAnswer:
    """The request got no answer: TIMEOUT, NOT_CONNECTED or CONNECTION_LOST."""

    reason: str


class Send(Protocol):
    """Sends one request and tells what came of it; raises only when it is cancelled."""

    async def __call__(self, request: PlannedRequest) -> Answer | NoAnswer: ...


def session(timeout: float, token: str) -> aiohttp.ClientSession:
    """A pool of connections without a limit of its own; `timeout` in seconds, for one request."""
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    return aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=0, keepalive_timeout=_IDLE_SECONDS),
        cookie_jar=aiohttp.DummyCookieJar(),
        timeout=aiohttp.ClientTimeout(total=timeout),
        headers=headers | {"User-Agent": "fraud-monitoring-simulator"},
    )


def http_sender(client: aiohttp.ClientSession, target: str) -> Send:
    """Sends to `POST {target}/predict`; redirects are answers, they would turn POST into GET."""
    url = f"{target}/predict"

    async def send(request: PlannedRequest) -> Answer | NoAnswer:
        try:
            return await _post(client, url, request)
        except (aiohttp.ClientError, OSError) as error:
            return NoAnswer(reason_of(error))

    return send


def reason_of(error: BaseException) -> str:
    """Why there was no answer; a timeout of aiohttp is an OSError too."""
    if isinstance(error, TimeoutError):
        return TIMEOUT
    if isinstance(error, aiohttp.ClientConnectorError):
        return NOT_CONNECTED
    return CONNECTION_LOST


async def _post(client: aiohttp.ClientSession, url: str, request: PlannedRequest) -> Answer:
    headers = {"Content-Type": "application/json"}
    if request.fault is not None:
        headers[FAULT_HEADER] = request.fault
    body: bytes | AsyncIterator[bytes] = request.body
    if request.padding:
        headers["Content-Length"] = str(len(request.body) + request.padding)
        body = _padded(request)
    async with client.post(url, data=body, headers=headers, allow_redirects=False) as response:
        return read_answer(response.status, await read_text(response))


async def _padded(request: PlannedRequest) -> AsyncIterator[bytes]:
    """The body in pieces, so that many large ones at once take no memory."""
    yield request.body
    left = request.padding
    while left > 0:
        yield _SPACES[: min(left, len(_SPACES))]
        left -= len(_SPACES)


async def read_text(response: aiohttp.ClientResponse) -> bytes:
    """The answer's body; aiohttp.ClientPayloadError for one that is far too long."""
    text = bytearray()
    async for piece in response.content.iter_any():
        text += piece
        if len(text) > _LONGEST_ANSWER:
            raise aiohttp.ClientPayloadError("the answer is longer than any prediction")
    return bytes(text)


def read_answer(status: int, body: bytes) -> Answer:
    """What the answer says; members that are missing or no text are None."""
    try:
        document = json.loads(body)
    except ValueError:
        return Answer(status)
    if not isinstance(document, dict):
        return Answer(status)
    error = document.get("error")
    return Answer(
        status=status,
        predicted=_text(document.get("prediction")),
        user_type=_text(document.get("user_type")),
        risk_level=_text(document.get("risk_level")),
        error_type=_text(error.get("type")) if isinstance(error, dict) else None,
        probability=_share(document.get("fraud_probability")),
        receipt=_text(document.get("receipt")),
    )


def _share(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 1:
        return None
    return float(value)


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None
