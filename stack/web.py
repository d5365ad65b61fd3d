"""Small questions to the running programs over HTTP, on loopback."""

from __future__ import annotations

import urllib.error
import urllib.request
from collections.abc import Mapping

TIMEOUT_SECONDS = 2.0
# A proxy of the environment has no way to this machine's loopback.
_DIRECT = urllib.request.build_opener(urllib.request.ProxyHandler({}))


def get(url: str, headers: Mapping[str, str] | None = None) -> str | None:
    """The body of a 2xx answer, or None when there is no such answer within 2 s."""
    request = urllib.request.Request(url, headers=dict(headers or {}))
    try:
        with _DIRECT.open(request, timeout=TIMEOUT_SECONDS) as answer:
            body: bytes = answer.read()
    except (OSError, ValueError, urllib.error.HTTPError):
        return None
    return body.decode(errors="replace")
