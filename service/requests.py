"""What a view reads from the current request; whatever is wrong with it is an ApiError."""

from __future__ import annotations

import hmac

import msgspec
from flask import g, request

from service.errors import ApiError
from service.settings import Settings
from telemetry.metrics import ENDPOINTS, OTHER

# A refused body is read and thrown away up to this size, so that the caller gets to read why:
# closing a connection with unread data resets it.
_DRAINED_BYTES = 8 * 1024 * 1024


def endpoint_of() -> str:
    """The route's path as the table has it: pages for people are one, unknown paths another."""
    rule = request.url_rule.rule if request.url_rule else request.path.rstrip("/")
    if rule == "/openapi.json" or rule.startswith("/docs"):
        return "/"
    return rule if rule in ENDPOINTS else OTHER


def body_of() -> object:
    """The body's JSON value."""
    if request.mimetype != "application/json":
        got = request.mimetype[:60] or "none"
        raise ApiError(
            "unsupported_media_type", f"Content-Type must be application/json, got {got}"
        )
    try:
        return msgspec.json.decode(request.get_data(cache=False))
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
        raise ApiError("invalid_json", f"the body must be JSON: {error}") from None


def wants_reasons() -> bool:
    """True with `?explain=true`."""
    given = request.args.get("explain", "false")
    if given not in ("true", "false"):
        raise ApiError(
            "unknown_category", f"explain must be true or false, got {given[:60]!r}", "explain"
        )
    return given == "true"


def routing_key() -> str:
    """What decides which model answers: the caller's own word, else each request for itself."""
    return request.headers.get("X-Routing-Key") or g.request_id


def drain() -> None:
    """Throw the unread body away, if it is not far too large."""
    length = request.content_length
    if length is None or length > _DRAINED_BYTES:
        return
    while request.environ["wsgi.input"].read(65536):
        pass


def authorize(settings: Settings) -> None:
    """Refuse whoever lacks the token, and everybody on a public platform without one."""
    token = settings.access_token
    if not token and not settings.public:
        return
    given = request.headers.get("Authorization", "")
    if not token or not hmac.compare_digest(given.encode(), f"Bearer {token}".encode()):
        raise ApiError(
            "unauthorized",
            "this endpoint needs the header Authorization: Bearer <ACCESS_TOKEN>",
            headers={"WWW-Authenticate": "Bearer"},
        )


def number_of_requests(body: object, most: int) -> int:
    """The count of {"num_requests": count}."""
    if not isinstance(body, dict):
        raise ApiError("wrong_type", f"the body must be an object, got {type(body).__name__}")
    if extra := [str(name) for name in body if name != "num_requests"]:
        raise ApiError("unknown_field", f"{extra[0][:60]!r} is not known", extra[0][:60])
    if "num_requests" not in body:
        raise ApiError("missing_field", "num_requests is missing", "num_requests")
    count = body["num_requests"]
    if not isinstance(count, int) or isinstance(count, bool):
        got = repr(count)[:60]
        raise ApiError(
            "wrong_type", f"num_requests must be a whole number, got {got}", "num_requests"
        )
    if not 1 <= count <= most:
        got = repr(count)[:60]
        raise ApiError(
            "out_of_range", f"num_requests must be between 1 and {most}, got {got}", "num_requests"
        )
    return count
