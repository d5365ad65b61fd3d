"""Plain HTTP with the habits that secrets need: no redirects, no secret in an error, bounded time.

A redirect would carry the token to wherever it points, so it is an error that says so.
"""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from email.message import Message
from http.client import HTTPException, HTTPMessage
from typing import IO, Any
from urllib.error import HTTPError
from urllib.parse import urlencode, urlsplit
from urllib.request import HTTPRedirectHandler, Request, build_opener

TIMEOUT_SECONDS = 30.0
TRIES = 4
TRY_AGAIN = frozenset({429, 502, 503, 504})
LONGEST_WAIT_SECONDS = 30.0


class Problem(Exception):
    """What went wrong, as one sentence for the person at the terminal."""


@dataclass(frozen=True)
class Answer:
    """Status, headers and body of an HTTP answer, whatever the status."""

    status: int
    headers: Message[str, str]
    body: bytes

    def json(self) -> Any:
        """The body as JSON; Problem if it is not."""
        try:
            return json.loads(self.body)
        except ValueError:
            raise Problem(f"expected JSON, got {self.body[:60]!r}") from None

    def reason(self) -> str:
        """What the body says about an error, cut short."""
        try:
            content = json.loads(self.body)
        except ValueError:
            return self.body.decode(errors="replace").strip()[:300] or "(no text)"
        for name in ("message", "error"):
            if isinstance(content, dict) and content.get(name):
                return str(content[name])[:300]
        return str(content)[:300]


@dataclass(frozen=True)
class Client:
    """One server: its address (scheme, host, maybe a path) and how to sign in there."""

    address: str
    authorization: str | None = field(default=None, repr=False)
    pause: float = 1.0  # before the second try; doubled for each further one

    def __post_init__(self) -> None:
        parts = urlsplit(self.address)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise Problem(
                f"expected an address like https://name.grafana.net, got {self.address!r}"
            )
        loopback = parts.hostname in ("localhost", "127.0.0.1", "::1")
        if self.authorization and parts.scheme == "http" and not loopback:
            raise Problem(f"{self.address} is not https: the token would be readable on the way")

    def get(self, path: str, parameters: Mapping[str, str] | None = None) -> Answer:
        """GET."""
        query = f"?{urlencode(parameters)}" if parameters else ""
        return self.send("GET", f"{path}{query}")

    def send(self, method: str, path: str, body: bytes | None = None, kind: str = "") -> Answer:
        """Send, again after a while where the server is busy; Problem if it cannot be reached."""
        for attempt in range(1, TRIES + 1):
            answer = self._send_once(method, path, body, kind)
            if answer.status not in TRY_AGAIN or attempt == TRIES:
                break
            time.sleep(self._wait(answer, attempt))
        if 300 <= answer.status < 400:
            raise Problem(
                f"{self.address} points elsewhere ({answer.headers.get('Location', 'unnamed')}): "
                "use that address, the token is not sent on"
            )
        return answer

    def _send_once(self, method: str, path: str, body: bytes | None, kind: str) -> Answer:
        request = Request(f"{self.address.rstrip('/')}{path}", data=body, method=method)
        request.add_header("Accept", "application/json")
        if kind:
            request.add_header("Content-Type", kind)
        if self.authorization:
            request.add_header("Authorization", self.authorization)
        try:
            with _OPENER.open(request, timeout=TIMEOUT_SECONDS) as response:
                return Answer(response.status, response.headers, response.read())
        except HTTPError as error:
            with error:
                return Answer(error.code, error.headers, error.read())
        except (OSError, HTTPException) as error:
            cause = getattr(error, "reason", None) or error
            raise Problem(f"{self.address} cannot be reached: {cause}") from None

    def _wait(self, answer: Answer, attempt: int) -> float:
        asked = answer.headers.get("Retry-After", "")
        seconds = float(asked) if asked.isdigit() else self.pause * 2 ** (attempt - 1)
        return min(seconds, LONGEST_WAIT_SECONDS)


def bearer(token: str) -> str:
    """Authorization header of a service account's token."""
    return f"Bearer {token}"


def basic(user: str, token: str) -> str:
    """Authorization header of an instance's number and an access policy's token."""
    return "Basic " + base64.b64encode(f"{user}:{token}".encode()).decode()


class _NoRedirects(HTTPRedirectHandler):
    def redirect_request(
        self, req: Request, fp: IO[bytes], code: int, msg: str, headers: HTTPMessage, newurl: str
    ) -> None:
        return None


_OPENER = build_opener(_NoRedirects)
