"""A request as ASGI gives it, and its body, read whole before anything else is done with it."""

from __future__ import annotations

from enum import Enum

from service.asgi.types import Receive, Scope
from service.request_record import REQUEST_ID, RequestRecord
from telemetry.recorder import Recorder

_REQUEST_ID = REQUEST_ID.lower()


class Problem(Enum):
    """Why the server gave a request up before its body was whole."""

    LATE = "late"
    MALFORMED = "malformed"


class ClientGone(Exception):
    """The connection ended before the body was whole."""


class AsgiRequest:
    """One request; header names are in small letters, and `repeated` says that one occurs twice.

    The server may set `problem`; `crowded` says that more requests wait than can be served soon.
    """

    __slots__ = (
        "crowded", "headers", "method", "path", "problem", "query", "record", "repeated", "scope",
    )  # fmt: skip

    def __init__(self, scope: Scope, recorder: Recorder, crowded: bool = False) -> None:
        given: list[tuple[bytes, bytes]] = scope["headers"]
        self.scope = scope
        self.method: str = scope["method"]
        self.path: str = scope["path"]
        self.query: bytes = scope["query_string"]
        self.headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in given}
        self.repeated = len(self.headers) != len(given)
        self.crowded = crowded
        self.problem: Problem | None = None
        given_id = self.headers.get(_REQUEST_ID, "")
        self.record = RequestRecord(recorder, self.method, self.path, given_id)

    def content_length(self) -> int | None:
        """What the header says; None without one."""
        text = self.headers.get("content-length", "")
        return int(text) if text.isdecimal() else None

    async def read_body(self, receive: Receive, most: int) -> bytes:
        """The body, or its first `most` + 1 bytes where it is longer, or nothing of one that is
        announced to be longer: the server throws the rest away.

        Raises ClientGone; `problem` may be set afterwards.
        """
        if (self.content_length() or 0) > most:
            return b""
        body = b""
        while len(body) <= most:
            message = await receive()
            if message["type"] == "http.disconnect":
                raise ClientGone
            body += message.get("body", b"")
            if not message.get("more_body", False):
                break
        return body[: most + 1]
