"""What each answer tells a browser: guess no type, frame nothing, load nothing, tell no address."""

from __future__ import annotations

import base64
import hashlib
import re

from flask import Flask, Response

POLICY = "Content-Security-Policy"
# For all that is no page. A page brings a policy of its own.
_CLOSED = "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
_INLINE = r"<{element}>(.*?)</{element}>"

SECURITY_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    # For browsers that do not know frame-ancestors.
    "X-Frame-Options": "DENY",
    POLICY: _CLOSED,
}


def add_security_headers(app: Flask) -> None:
    """On every answer, refusals and failures included."""

    @app.after_request
    def set_security_headers(response: Response) -> Response:
        for name, value in SECURITY_HEADERS.items():
            response.headers.setdefault(name, value)
        return response


def write_policy(**sources: str) -> str:
    """The closed policy, and what a page may use in addition: `script_src="'self'"`."""
    allowed = [f"{name.replace('_', '-')} {value}" for name, value in sources.items()]
    return "; ".join([_CLOSED, *allowed])


def hash_inline(page: str, element: str) -> str:
    """The sources that allow just the inline `script` or `style` elements which this page has."""
    found = re.findall(_INLINE.format(element=element), page, flags=re.DOTALL)
    digests = [hashlib.sha256(text.encode()).digest() for text in found]
    return " ".join(f"'sha256-{base64.b64encode(digest).decode()}'" for digest in digests)
