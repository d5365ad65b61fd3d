"""Around every request: its id, its counts, its log line, and the one shape of every error."""

from __future__ import annotations

import logging
import re
import secrets
import time
import traceback

from flask import Flask, Response, g, request
from werkzeug.exceptions import HTTPException

from service.errors import ApiError, translate_http_error
from service.flask_io import current_endpoint, drain_body, to_response
from service.responses import answer_error
from telemetry.lifecycle import Telemetry
from telemetry.metrics import PROBES
from telemetry.tracing import mark_failed, mark_refused

_log = logging.getLogger("handler")
_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")


def add_request_middleware(app: Flask, telemetry: Telemetry) -> None:
    """Count and log each request; `request_id` is the caller's where it is safe."""
    recorder = telemetry.recorder

    @app.before_request
    def start_request() -> None:
        g.started = time.perf_counter()
        given = request.headers.get("X-Request-ID", "")
        g.request_id = given if _REQUEST_ID.fullmatch(given) else secrets.token_hex(16)
        # Who watches the queue does not stand in it.
        g.queued = current_endpoint() not in PROBES
        if g.queued:
            recorder.record_request_start()

    @app.after_request
    def count_response(response: Response) -> Response:
        seconds = time.perf_counter() - g.started
        endpoint = current_endpoint()
        recorder.record_response(request.method, endpoint, response.status_code, seconds)
        response.headers["X-Request-ID"] = g.request_id
        level = logging.DEBUG if endpoint in PROBES else logging.INFO
        if _log.isEnabledFor(level):
            line = _describe_request(endpoint, response.status_code, seconds)
            _log.log(level, "request answered", extra=line)
        return response

    @app.teardown_request
    def end_request(_: BaseException | None) -> None:
        if g.get("queued"):
            recorder.record_request_end()


def _describe_request(endpoint: str, status: int, seconds: float) -> dict[str, object]:
    line: dict[str, object] = {
        "request_id": g.request_id,
        "method": request.method,
        "endpoint": endpoint,
        "status": status,
        "duration_ms": round(seconds * 1000, 3),
    }
    if "error_type" in g:
        line["error_type"] = g.error_type
    return line


def add_error_handlers(app: Flask, telemetry: Telemetry) -> None:
    """Answer, count and mark on the span whatever is raised."""

    @app.errorhandler(ApiError)
    def answer_refusal(error: ApiError) -> Response:
        telemetry.recorder.record_error(error.type, current_endpoint())
        g.error_type = error.type
        mark_refused(error.type)
        if error.type == "too_large":
            drain_body()
        return to_response(answer_error(error, g.request_id))

    @app.errorhandler(HTTPException)
    def answer_http_error(error: HTTPException) -> Response:
        refusal = translate_http_error(error)
        if refusal.type == "too_large":
            limit = app.config["MAX_CONTENT_LENGTH"]
            refusal.message = f"the body must have at most {limit} bytes"
        return answer_refusal(refusal)

    @app.errorhandler(Exception)
    def answer_failure(error: Exception) -> Response:
        # The exception's own message may echo what the caller sent: it is not logged.
        stack = "".join(traceback.format_tb(error.__traceback__))
        extra = {"request_id": g.request_id, "stack": stack}
        _log.error("a request failed: %s", type(error).__name__, extra=extra)
        mark_failed()
        message = "the service failed on this request; its log has the place by the request id"
        return answer_refusal(ApiError("internal", message))
