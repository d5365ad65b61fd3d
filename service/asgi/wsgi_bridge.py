"""One request through a WSGI application (PEP 3333): called with the whole body, in a thread.

Other bridges read the body and send the answer from within the thread, so that a slow client holds
it. Here the thread has the body before it begins, and is free when the answer is made.
"""

from __future__ import annotations

import io
import sys
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote_to_bytes

from service.asgi.request import AsgiRequest
from service.asgi.types import Headers, Send
from service.request_record import RECORD

# In bytes. A longer answer (a file of Swagger UI) is read on while it is sent, piece by piece.
_PIECE = 64 * 1024
Environ = dict[str, Any]
WsgiApplication = Callable[[Environ, Callable[..., Any]], Iterable[bytes]]


@dataclass(frozen=True, slots=True)
class WsgiAnswer:
    """Status, headers, the body's first piece, and the others where there are any."""

    status: int
    headers: Headers
    body: bytes
    rest: Iterator[bytes] | None


def build_environ(request: AsgiRequest, body: bytes) -> Environ:
    """The environ of PEP 3333. `wsgi.input` ends where the body ends."""
    scope = request.scope
    host, port = scope.get("server") or ("localhost", 80)
    client = scope.get("client")
    environ: Environ = {
        "REQUEST_METHOD": request.method,
        "SCRIPT_NAME": "",
        "PATH_INFO": unquote_to_bytes(scope["raw_path"]).decode("latin-1"),
        "QUERY_STRING": request.query.decode("latin-1"),
        "SERVER_PROTOCOL": f"HTTP/{scope['http_version']}",
        "SERVER_NAME": host,
        "SERVER_PORT": str(port or 0),
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": scope.get("scheme", "http"),
        "wsgi.input": io.BytesIO(body),
        "wsgi.input_terminated": True,
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
        "wsgi.multiprocess": True,
        "wsgi.run_once": False,
        RECORD: request.record,
    }
    if client is not None:
        environ["REMOTE_ADDR"], environ["REMOTE_PORT"] = client[0], str(client[1])
    _add_headers(environ, scope["headers"])
    return environ


def _add_headers(environ: Environ, headers: Headers) -> None:
    for raw_name, raw_value in headers:
        # In an environ it could not be told from the header that is written with a hyphen.
        if b"_" in raw_name:
            continue
        name = raw_name.decode("latin-1").upper().replace("-", "_")
        if name not in ("CONTENT_TYPE", "CONTENT_LENGTH"):
            name = f"HTTP_{name}"
        value = raw_value.decode("latin-1")
        environ[name] = f"{environ[name]},{value}" if name in environ else value


def call_wsgi(application: WsgiApplication, environ: Environ) -> WsgiAnswer:
    """What the application answers; to be called in a thread."""
    started: list[Any] = []

    def start_response(status: str, headers: list[tuple[str, str]], _: object = None) -> None:
        started[:] = [status, headers]

    chunks = application(environ, start_response)
    pieces = _join_pieces(chunks)
    body = next(pieces, b"")
    whole = len(body) < _PIECE
    if whole:
        pieces.close()
    status, headers = started
    return WsgiAnswer(
        int(status.partition(" ")[0]), _encode_headers(headers), body, None if whole else pieces
    )


def _join_pieces(chunks: Iterable[bytes]) -> Any:
    """The chunks in pieces of at least `_PIECE` bytes but for the last; closes them at the end."""
    piece = b""
    try:
        for chunk in chunks:
            piece += chunk
            if len(piece) >= _PIECE:
                yield piece
                piece = b""
        if piece:
            yield piece
    finally:
        close = getattr(chunks, "close", None)
        if close is not None:
            close()


def _encode_headers(headers: list[tuple[str, str]]) -> Headers:
    return [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in headers]


async def send_wsgi_answer(answer: WsgiAnswer, send: Send) -> None:
    """Send it on; what is not read yet is read as fast as the client takes it."""
    await send({"type": "http.response.start", "status": answer.status, "headers": answer.headers})
    more = answer.rest is not None
    await send({"type": "http.response.body", "body": answer.body, "more_body": more})
    if answer.rest is not None:
        for piece in answer.rest:
            await send({"type": "http.response.body", "body": piece, "more_body": True})
        await send({"type": "http.response.body", "body": b"", "more_body": False})
