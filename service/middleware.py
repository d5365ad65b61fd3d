"""Around every request of the Flask application: its record, and the answer to what is raised."""

from __future__ import annotations

from flask import Flask, Response, g, request
from werkzeug.exceptions import HTTPException

from service.client_limit import ClientLimit
from service.errors import ApiError, translate_http_error
from service.flask_io import current_record, drain_body, to_response
from service.request_record import RECORD, REQUEST_ID, RequestRecord
from telemetry.metrics import PLATFORM_PROBES
from telemetry.recorder import Recorder
from telemetry.tracing import TRACE_RESPONSE, describe_current_trace


def add_request_middleware(app: Flask, recorder: Recorder) -> None:
    """Count and log each request."""

    @app.before_request
    def start_request() -> None:
        begun = request.environ.get(RECORD)
        given = request.headers.get(REQUEST_ID, "")
        g.record = begun or RequestRecord(recorder, request.method, request.path, given)

    @app.after_request
    def finish_request(response: Response) -> Response:
        record = current_record()
        record.finish(response.status_code)
        response.headers[REQUEST_ID] = record.id
        if described := describe_current_trace():
            response.headers[TRACE_RESPONSE] = described
        return response

    @app.teardown_request
    def end_request(_: BaseException | None) -> None:
        if "record" in g:
            current_record().end()


def add_client_limit(app: Flask, limit: ClientLimit | None) -> None:
    """Behind `add_request_middleware`: what is refused is counted. A platform's probes never
    are."""

    @app.before_request
    def check_client() -> None:
        if limit is not None and current_record().endpoint not in PLATFORM_PROBES:
            limit.check(request.remote_addr or "", request.headers.get("X-Forwarded-For", ""))


def add_error_handlers(app: Flask) -> None:
    """Answer whatever is raised."""

    @app.errorhandler(ApiError)
    def answer_refusal(error: ApiError) -> Response:
        if error.type == "too_large":
            drain_body()
        return to_response(current_record().refuse(error))

    @app.errorhandler(HTTPException)
    def answer_http_error(error: HTTPException) -> Response:
        return answer_refusal(translate_http_error(error, app.config["MAX_CONTENT_LENGTH"]))

    @app.errorhandler(Exception)
    def answer_failure(error: Exception) -> Response:
        return to_response(current_record().fail(error))
