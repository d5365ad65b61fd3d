"""One address before the nodes of a store: `python -m stack.native.reverse_proxy`.

What asks the Prometheus of the stack finds its API, its dashboards and its receivers for writes
here; each call goes to a node that answers. In a cluster a Service does this.

    /api/v1/push, /api/v1/otlp/…   the node's own path
    /api/v1/…                      the node's /prometheus/api/v1/…
    /user/…                        the live view
    anything else                  a page that leads to it
"""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import aiohttp
from aiohttp import web

from stack.native.prometheus_config import TO_LIVE_VIEW

_WRITES = ("/api/v1/push", "/api/v1/otlp/")
# As long as Prometheus gives a query.
TIMEOUT = aiohttp.ClientTimeout(total=130, connect=2)
# Less than the Collector's try of 8 s: a node that hangs takes connections all the same.
WRITE_TIMEOUT = aiohttp.ClientTimeout(total=4, connect=2)
# A node that has not answered for so long comes last, for calls that begin now.
SLOW_SECONDS = 4.0
# A failure that took longer is the query's own (its time-out): it would be the other nodes' too.
_AGAIN_WITHIN = 10.0
MOST_BYTES = 64 * 1024 * 1024
_SESSION = web.AppKey("session", aiohttp.ClientSession)
# Of one connection, not of the message (RFC 9110, 7.6.1).
_HOP = frozenset(
    {"connection", "content-length", "expect", "host", "keep-alive", "proxy-authenticate"}
    | {"proxy-authorization", "proxy-connection", "te", "trailer", "transfer-encoding", "upgrade"}
)
_AUTOMATIC = ("Accept", "Accept-Encoding", "User-Agent")


class Nodes:
    """The nodes' addresses; the one that answered last comes first, with less than 500."""

    def __init__(self, addresses: Sequence[str]) -> None:
        self._addresses = list(addresses)

    def in_order(self) -> list[str]:
        """Whom to ask, one after the other."""
        return list(self._addresses)

    def answered(self, address: str) -> None:
        """The next call begins with it."""
        self._addresses.remove(address)
        self._addresses.insert(0, address)

    def failed(self, address: str) -> None:
        """The next call asks it last."""
        self._addresses.remove(address)
        self._addresses.append(address)


def make_app(nodes: Nodes, live_view: Path) -> web.Application:
    """The proxy before these nodes, with the pages of that folder."""
    app = web.Application(client_max_size=MOST_BYTES)

    async def forward(request: web.Request) -> web.Response:
        return await _forward(request, nodes)

    async def live_view_page(request: web.Request) -> web.FileResponse:
        return web.FileResponse(live_view / "index.html")

    async def other_page(request: web.Request) -> web.Response:
        return web.Response(text=TO_LIVE_VIEW, content_type="text/html")

    app.router.add_route("*", "/api/v1/{rest:.*}", forward)
    app.router.add_get("/user/", live_view_page)
    app.router.add_static("/user/", live_view, follow_symlinks=True)
    app.router.add_get("/{rest:.*}", other_page)
    app.cleanup_ctx.append(_client)
    app.on_response_prepare.append(_show_runbooks)
    return app


async def _client(app: web.Application) -> AsyncIterator[None]:
    # Answers pass as they are: what is compressed stays so, and nobody who cannot read it gets it.
    async with aiohttp.ClientSession(
        timeout=TIMEOUT, auto_decompress=False, skip_auto_headers=_AUTOMATIC
    ) as session:
        app[_SESSION] = session
        yield


async def _show_runbooks(request: web.Request, response: web.StreamResponse) -> None:
    """A browser saves what is called Markdown, instead of showing it."""
    if request.path.endswith(".md"):
        response.content_type = "text/plain"
        response.charset = "utf-8"
    if request.path.startswith("/user/"):
        response.headers["Cache-Control"] = "no-cache"


async def _forward(request: web.Request, nodes: Nodes) -> web.Response:
    """The answer of the first node that has one below 500; without one the first failure."""
    if not {".", ".."}.isdisjoint(request.path.split("/")):
        # The client resolves it: such a path leads to what is not offered here.
        raise web.HTTPNotFound
    body = await request.read()
    loop = asyncio.get_running_loop()
    answers: list[web.Response] = []
    failures = []
    for node in nodes.in_order():
        began, slow = loop.time(), loop.call_later(SLOW_SECONDS, nodes.failed, node)
        try:
            answer = await _ask(request, node, body)
        except (aiohttp.ClientError, TimeoutError) as error:
            # Asked of the next one: nodes take what they have already for the same sample.
            failures.append(f"{node}: {error or type(error).__name__}")
        else:
            if answer.status < 500:
                nodes.answered(node)
                return answer
            answers.append(answer)
            if loop.time() - began > _AGAIN_WITHIN:
                break
        finally:
            slow.cancel()
        nodes.failed(node)
    if answers:
        return answers[0]
    return web.Response(status=503, text=f"No node of the store answers: {'; '.join(failures)}\n")


async def _ask(request: web.Request, node: str, body: bytes) -> web.Response:
    path = request.rel_url.raw_path_qs
    writes = request.path.startswith(_WRITES)
    target = path if writes else f"/prometheus{path}"
    timeout = WRITE_TIMEOUT if writes else TIMEOUT
    headers = {name: value for name, value in request.headers.items() if name.lower() not in _HOP}
    async with request.app[_SESSION].request(
        request.method, f"{node}{target}", data=body, headers=headers, timeout=timeout
    ) as answer:
        content = await answer.read()
    kept = {name: value for name, value in answer.headers.items() if name.lower() not in _HOP}
    return web.Response(status=answer.status, body=content, headers=kept)


def main() -> int:
    """Serves on loopback until a signal."""
    nodes = Nodes(os.environ["STACK_STORE_NODES"].split(","))
    app = make_app(nodes, Path(os.environ["STACK_LIVE_VIEW"]))
    port = int(os.environ["PROMETHEUS_PORT"])
    web.run_app(
        app,
        host="127.0.0.1",
        port=port,
        print=None,
        access_log=None,
        # A body passes as it came, with the header that says how it is compressed.
        auto_decompress=False,
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
