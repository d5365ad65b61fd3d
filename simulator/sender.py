"""One request over HTTP, and what came of it. Nothing is ever sent twice."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Final, Protocol

import aiohttp

from simulator.plan import PlannedRequest

# Answers are some hundred bytes; what is longer is no answer of a scoring service.
_LONGEST_ANSWER: Final = 1024 * 1024

_SPACES: Final = b" " * 65536

# Common servers close an idle connection after 2 s. A POST on a connection that is being closed
# is lost and cannot be repeated safely, so ours are given up earlier.
_IDLE_SECONDS: Final = 1.0

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


@asynccontextmanager
async def http_sender(target: str, timeout: float, token: str) -> AsyncIterator[Send]:
    """Sends to `POST {target}/predict`; redirects are answers, they would turn POST into GET."""
    url = f"{target}/predict"
    async with session(timeout, token) as client:

        async def send(request: PlannedRequest) -> Answer | NoAnswer:
            try:
                return await _post(client, url, request)
            except TimeoutError:
                return NoAnswer(TIMEOUT)
            except aiohttp.ClientConnectorError:
                return NoAnswer(NOT_CONNECTED)
            except (aiohttp.ClientError, OSError):
                return NoAnswer(CONNECTION_LOST)

        yield send


async def _post(client: aiohttp.ClientSession, url: str, request: PlannedRequest) -> Answer:
    headers = {"Content-Type": "application/json"}
    body: bytes | AsyncIterator[bytes] = request.body
    if request.padding:
        headers["Content-Length"] = str(len(request.body) + request.padding)
        body = _padded(request)
    async with client.post(url, data=body, headers=headers, allow_redirects=False) as response:
        return read_answer(response.status, await _read(response))


async def _padded(request: PlannedRequest) -> AsyncIterator[bytes]:
    """The body in pieces, so that many large ones at once take no memory."""
    yield request.body
    left = request.padding
    while left > 0:
        yield _SPACES[: min(left, len(_SPACES))]
        left -= len(_SPACES)


async def _read(response: aiohttp.ClientResponse) -> bytes:
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
    )


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None
