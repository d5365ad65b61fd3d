"""Between Flask and the plain functions: the current request's parts, and answers as responses."""

from __future__ import annotations

import contextlib
import secrets

from flask import Response, current_app, g, request
from werkzeug.exceptions import BadRequest, RequestEntityTooLarge

from service.request_record import RequestRecord
from service.requests import decode_json
from service.responses import Answer

# A refused body is read and thrown away up to this size, so that the caller gets to read why:
# closing a connection with unread data resets it.
DRAINED_BYTES = 8 * 1024 * 1024


def current_record() -> RequestRecord:
    """The record of the current request."""
    record: RequestRecord = g.record
    return record


def read_json() -> object:
    """The body's JSON value; raises ApiError."""
    encoding = request.headers.get("Content-Encoding", "").strip().lower()
    return decode_json(request.mimetype, _read_body(), encoding)


def _read_body() -> bytes:
    """The body, of which MAX_CONTENT_LENGTH holds whether or not its length was announced.

    Werkzeug cuts a body in chunks off at the limit without a word.
    """
    most: int = current_app.config["MAX_CONTENT_LENGTH"]
    if request.content_length is None and request.environ.get("wsgi.input_terminated"):
        body = _read_chunks(most + 1)
    else:
        body = request.get_data(cache=False)
    if len(body) > most:
        raise RequestEntityTooLarge
    return body


def _read_chunks(most: int) -> bytes:
    try:
        body: bytes = request.environ["wsgi.input"].read(most)
    except Exception:  # Each server has its own errors for what a caller sends wrong.
        raise BadRequest("the body ends early, or its chunks are not well-formed") from None
    return body


def find_routing_key() -> str:
    """What decides which model answers: the caller's own word, else each request for itself."""
    # Not the request's id: that may be the caller's own word, too.
    return request.headers.get("X-Routing-Key") or secrets.token_hex(8)


def drain_body() -> None:
    """Throw the unread body away, if it is not far too large; it may well be malformed."""
    if (request.content_length or 0) > DRAINED_BYTES:
        return
    left = DRAINED_BYTES
    with contextlib.suppress(Exception):
        while left > 0 and (read := len(request.environ["wsgi.input"].read(min(left, 65536)))):
            left -= read


def to_response(answer: Answer) -> Response:
    """The answer as Flask sends it."""
    response = Response(answer.body, answer.status, content_type=answer.content_type)
    response.headers.extend(answer.headers)
    return response
