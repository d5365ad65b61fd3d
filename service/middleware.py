"""Around every request: its id, its counts, its log line, and the one shape of every error."""

from __future__ import annotations

import logging
import re
import secrets
import time
import traceback

from flask import Flask, Response, g, request
from werkzeug.exceptions import HTTPException

from service.errors import ApiError, from_http
from service.requests import drain, endpoint_of
from service.routes import json_answer
from telemetry.lifecycle import Telemetry
from telemetry.tracing import mark_failed, mark_refused

_log = logging.getLogger("handler")
_PROBES = ("/health", "/health/live", "/health/ready", "/metrics")
_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")


def add_bookkeeping(app: Flask, telemetry: Telemetry) -> None:
    """Count and log each request; `request_id` is the caller's where it is safe."""
    recorder = telemetry.recorder

    @app.before_request
    def accept() -> None:
        g.started = time.perf_counter()
        given = request.headers.get("X-Request-ID", "")
        g.request_id = given if _REQUEST_ID.fullmatch(given) else secrets.token_hex(16)
        # Who watches the queue does not stand in it.
        g.queued = endpoint_of() not in _PROBES
        if g.queued:
            recorder.request_accepted()

    @app.after_request
    def count(response: Response) -> Response:
        seconds = time.perf_counter() - g.started
        endpoint = endpoint_of()
        recorder.request_answered(request.method, endpoint, response.status_code, seconds)
        response.headers["X-Request-ID"] = g.request_id
        level = logging.DEBUG if endpoint in _PROBES else logging.INFO
        if _log.isEnabledFor(level):
            _log.log(level, "request answered", extra=_line(endpoint, response, seconds))
        return response

    @app.teardown_request
    def leave(_: BaseException | None) -> None:
        if g.get("queued"):
            recorder.request_left()


def _line(endpoint: str, response: Response, seconds: float) -> dict[str, object]:
    line: dict[str, object] = {
        "request_id": g.request_id,
        "method": request.method,
        "endpoint": endpoint,
        "status": response.status_code,
        "duration_ms": round(seconds * 1000, 3),
    }
    if "error_type" in g:
        line["error_type"] = g.error_type
    return line


def add_error_shape(app: Flask, telemetry: Telemetry) -> None:
    """Answer, count and mark on the span whatever is raised."""

    @app.errorhandler(ApiError)
    def refuse(error: ApiError) -> Response:
        telemetry.recorder.refused(error.type, endpoint_of())
        g.error_type = error.type
        mark_refused(error.type)
        if error.type == "too_large":
            drain()
        response = json_answer(error.body(g.request_id), error.status)
        response.headers.extend(error.headers)
        return response

    @app.errorhandler(HTTPException)
    def translate(error: HTTPException) -> Response:
        refusal = from_http(error)
        if refusal.type == "too_large":
            limit = app.config["MAX_CONTENT_LENGTH"]
            refusal.message = f"the body must have at most {limit} bytes"
        return refuse(refusal)

    @app.errorhandler(Exception)
    def fail(error: Exception) -> Response:
        # The exception's own message may echo what the caller sent: it is not logged.
        stack = "".join(traceback.format_tb(error.__traceback__))
        extra = {"request_id": g.request_id, "stack": stack}
        _log.error("a request failed: %s", type(error).__name__, extra=extra)
        mark_failed()
        message = "the service failed on this request; its log has the place by the request id"
        return refuse(ApiError("internal", message))
