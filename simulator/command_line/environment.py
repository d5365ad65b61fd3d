"""Where the target is and how it is reached: --url, SIMULATOR_TARGET, ACCESS_TOKEN, proxies."""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Mapping
from typing import Final
from urllib.parse import SplitResult, unquote, urlsplit

from simulator.target.connection import TargetAddress
from simulator.target.proxy import choose_proxy

DEFAULT_TARGET: Final = "http://localhost:5000"


def read_address(url: str | None, timeout: float, environ: Mapping[str, str]) -> TargetAddress:
    """The target by `--url`, else by the environment; ValueError with a sentence.

    An empty variable counts as unset. User and password of the URL become a header, so that no
    summary shows them.
    """
    text = url or environ.get("SIMULATOR_TARGET", "").strip() or DEFAULT_TARGET
    parts = _parse_url(text)
    place = parts.netloc.rpartition("@")[2]
    target = f"{parts.scheme}://{place}{parts.path}".rstrip("/")
    return TargetAddress(
        url=target,
        timeout=timeout,
        authorization=_read_authorization(parts, environ),
        proxy=choose_proxy(target, environ),
    )


def _parse_url(text: str) -> SplitResult:
    try:
        parts = urlsplit(text)
        usable = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
    except ValueError:
        usable = None
    if not usable or parts.query or parts.fragment:
        shown = re.sub("//[^/]*@", "//…@", text)
        hint = "; an IPv6 address stands in brackets, as http://[::1]:5000"
        raise ValueError(
            f"the target must be an address as http://localhost:5000 or https://…, got {shown!r}"
            + (hint if text.count(":") > 2 else "")
        )
    return parts


def _read_authorization(parts: SplitResult, environ: Mapping[str, str]) -> str | None:
    # The service takes several, separated by commas, while one replaces another.
    token = environ.get("ACCESS_TOKEN", "").split(",")[0].strip()
    if not token.isprintable():
        raise ValueError("ACCESS_TOKEN must be one line of printable characters")
    if parts.username is None:
        return f"Bearer {token}" if token else None
    if token:
        raise ValueError("the target's URL holds a user, and ACCESS_TOKEN is set: give one of them")
    user = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
    return f"Basic {b64encode(user.encode()).decode()}"
