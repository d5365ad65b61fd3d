"""Methods that the parser does not know, and takes for something else than HTTP."""

from __future__ import annotations

import re

# RFC 9110, 9.1 and 5.6.2: a method is a token.
_REQUEST_LINE = re.compile(rb"([!#$%&'*+.^_`|~0-9A-Za-z-]{1,64}) /")
_KNOWN = {
    b"GET", b"HEAD", b"POST", b"PUT", b"DELETE", b"CONNECT", b"OPTIONS", b"TRACE", b"PATCH",
}  # fmt: skip
NOBODYS = "UNLINK"
"""The parser knows it, and no endpoint has it."""


def replace_unknown_method(data: bytes) -> tuple[bytes, str]:
    """The beginning of a request, with NOBODYS in the place of a method that the parser might
    refuse, and that method: so it is answered 405 or 404, as by Flask alone."""
    found = _REQUEST_LINE.match(data)
    if found is None or found[1] in _KNOWN:
        return data, ""
    return NOBODYS.encode() + data[found.end(1) :], found[1].decode("ascii")
