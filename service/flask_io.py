"""Between Flask and the plain functions: the current request's parts, and answers as responses."""

from __future__ import annotations

from flask import Response, g, request

from service.requests import decode_json, name_endpoint
from service.responses import Answer

# A refused body is read and thrown away up to this size, so that the caller gets to read why:
# closing a connection with unread data resets it.
_DRAINED_BYTES = 8 * 1024 * 1024


def current_endpoint() -> str:
    """The endpoint as it is counted."""
    rule = request.url_rule
    return name_endpoint(rule.rule if rule else request.path.rstrip("/"))


def read_json() -> object:
    """The body's JSON value; raises ApiError."""
    return decode_json(request.mimetype, request.get_data(cache=False))


def find_routing_key() -> str:
    """What decides which model answers: the caller's own word, else each request for itself."""
    return request.headers.get("X-Routing-Key") or str(g.request_id)


def drain_body() -> None:
    """Throw the unread body away, if it is not far too large."""
    length = request.content_length
    if length is None or length > _DRAINED_BYTES:
        return
    while request.environ["wsgi.input"].read(65536):
        pass


def to_response(answer: Answer) -> Response:
    """The answer as Flask sends it."""
    response = Response(answer.body, answer.status, content_type=answer.content_type)
    response.headers.extend(answer.headers)
    return response
