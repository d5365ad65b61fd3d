"""Connections to the target: its address, credentials, proxy and time limit."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from typing import Final

import aiohttp

from simulator.target.proxy import Proxy

# Common servers close an idle connection after 2 s. A POST on a connection that is being closed
# is lost and cannot be repeated safely, so ours are given up earlier.
_IDLE_SECONDS: Final = 1.0

_LONGEST_BODY: Final = 1024 * 1024

TIMEOUT: Final = "timeout"
NOT_CONNECTED: Final = "not_connected"
CONNECTION_LOST: Final = "connection_lost"

Body = bytes | AsyncIterator[bytes]
ResponseContext = AbstractAsyncContextManager[aiohttp.ClientResponse]


@dataclass(frozen=True)
class TargetAddress:
    """Where the target is and how it is reached; `timeout` in seconds, for one request.

    `url`: without credentials and without a slash at its end. `authorization`: the header's value.
    `proxy` None: directly.
    """

    url: str
    timeout: float = 10.0
    authorization: str | None = None
    proxy: Proxy | None = None


class TargetClient:
    """Requests to paths of the target. A redirect is an answer: it would turn POST into GET."""

    def __init__(self, http: aiohttp.ClientSession, address: TargetAddress) -> None:
        self.address = address
        self._http = http
        # Not the session's default headers: aiohttp sends those to the proxy too.
        self._headers = (
            {} if address.authorization is None else {"Authorization": address.authorization}
        )

    def get(self, path: str) -> ResponseContext:
        """GET a path of the target."""
        url = f"{self.address.url}{path}"
        return self._http.get(url, headers=self._headers, allow_redirects=False)

    def post_json(
        self, path: str, body: Body, headers: Mapping[str, str] | None = None
    ) -> ResponseContext:
        """POST JSON to a path of the target."""
        sent = {"Content-Type": "application/json", **self._headers, **(headers or {})}
        url = f"{self.address.url}{path}"
        return self._http.post(url, data=body, headers=sent, allow_redirects=False)


@asynccontextmanager
async def connect(address: TargetAddress) -> AsyncIterator[TargetClient]:
    """A pool of connections without a limit of its own."""
    async with aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=0, keepalive_timeout=_IDLE_SECONDS),
        cookie_jar=aiohttp.DummyCookieJar(),
        timeout=aiohttp.ClientTimeout(total=address.timeout),
        headers={"User-Agent": "fraud-monitoring-simulator"},
        proxy=None if address.proxy is None else address.proxy.url,
    ) as http:
        yield TargetClient(http, address)


async def read_body(response: aiohttp.ClientResponse, longest: int = _LONGEST_BODY) -> bytes:
    """All of the answer's body; aiohttp.ClientPayloadError for one of more than `longest` bytes."""
    body = bytearray()
    async for piece in response.content.iter_any():
        body += piece
        if len(body) > longest:
            raise aiohttp.ClientPayloadError("the answer is longer than any of a scoring service")
    return bytes(body)


def name_failure(error: BaseException) -> str:
    """Why there was no answer: TIMEOUT, NOT_CONNECTED or CONNECTION_LOST."""
    # A timeout of aiohttp is an OSError too.
    if isinstance(error, TimeoutError):
        return TIMEOUT
    if isinstance(error, aiohttp.ClientConnectorError | aiohttp.ClientHttpProxyError):
        return NOT_CONNECTED
    return CONNECTION_LOST
