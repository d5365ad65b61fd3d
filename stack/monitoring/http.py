"""Small questions to the running programs over HTTP, on loopback."""

from __future__ import annotations

from prometheus.client.errors import RequestError
from prometheus.client.http import Client

TIMEOUT_SECONDS = 2.0


def local_client(url: str, authorization: str | None = None) -> Client:
    """A client that gives up soon and asks once: whoever calls it asks again anyway."""
    return Client(url, authorization, timeout=TIMEOUT_SECONDS, tries=1)


def get_text(url: str, authorization: str | None = None) -> str | None:
    """The body of a 2xx answer, or None when there is no such answer within about 2 s."""
    try:
        answer = local_client(url, authorization).get("")
    except RequestError:
        return None
    return answer.body.decode(errors="replace") if 200 <= answer.status < 300 else None
