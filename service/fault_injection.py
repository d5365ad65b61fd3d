"""Fault injection on request, so that alerts can be tried on the real service.

After Envoy's fault filter: with FAULT_HEADERS=on a request to /predict may ask for a delay or a
failure by the header X-Fault. Both are real: they happen in the request's path and are measured
and counted as any other. Off, which is the default, the header is ignored. Never on a public
address: whoever can send the header can hold every worker.
"""

from __future__ import annotations

import logging
import re
import time

from flask import Flask, request

from service.errors import ApiError
from service.requests import LONGEST_ECHO

HEADER = "X-Fault"
LONGEST_MS = 10_000
_DELAY = re.compile(r"delay=([0-9]{1,5})ms")
_log = logging.getLogger("handler")


class RequestedFailure(Exception):
    """What a request asked for by `X-Fault: error`; answered and counted as any other exception."""


def add_fault_injection(app: Flask) -> None:
    """Obey X-Fault on POST /predict; the log says so."""
    _log.warning("FAULT_HEADERS=on: any caller may slow or fail /predict by the header %s", HEADER)

    @app.before_request
    def inject_fault() -> None:
        wanted = request.headers.get(HEADER)
        if wanted is None or request.method != "POST" or request.path.rstrip("/") != "/predict":
            return
        if wanted == "error":
            raise RequestedFailure
        time.sleep(_read_delay_ms(wanted) / 1000)


def _read_delay_ms(wanted: str) -> int:
    found = _DELAY.fullmatch(wanted)
    if found is None or int(found[1]) > LONGEST_MS:
        raise ApiError(
            "bad_request",
            f"{HEADER} must be error or delay=<milliseconds, at most {LONGEST_MS}>ms,"
            f" got {wanted[:LONGEST_ECHO]!r}",
            HEADER,
        )
    return int(found[1])
