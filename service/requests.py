"""What a request says, read and checked without any web framework; what is wrong is an ApiError.

A reader takes the part's name or place in the body (`feedback[3].label`): the error names it.
"""

from __future__ import annotations

import codecs
from collections.abc import Collection, Mapping

import msgspec

from service.errors import ApiError
from telemetry.metrics import ENDPOINTS, OTHER

# What is echoed of a caller's own words, in characters.
LONGEST_ECHO = 60
# The start page itself is "/".
_PAGES = ("/openapi.json", "/docs", "/model_card", "/favicon.ico")
_GZIP = b"\x1f\x8b"


class PredictRequest(msgspec.Struct, frozen=True):
    """POST /predict: the body's JSON value, whether reasons are wanted, and what decides which
    model answers; without a routing key the champion does."""

    body: object
    explain: bool = False
    routing_key: str | None = None


def decode_json(media_type: str, body: bytes, encoding: str = "") -> object:
    """The body's JSON value; `media_type` without its parameters, empty where there is none;
    `encoding` is the header Content-Encoding.

    A byte order mark before UTF-8 is passed over, as RFC 8259 allows.
    """
    if encoding not in ("", "identity"):
        raise ApiError(
            "unsupported_media_type",
            f"the body must not be compressed, got Content-Encoding {encoding[:LONGEST_ECHO]}",
        )
    if media_type != "application/json":
        got = media_type[:LONGEST_ECHO] or "none"
        raise ApiError(
            "unsupported_media_type", f"Content-Type must be application/json, got {got}"
        )
    _check_encoding(body)
    try:
        return msgspec.json.decode(body.removeprefix(codecs.BOM_UTF8))
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
        raise ApiError("invalid_json", f"the body must be JSON: {error}") from None


def _check_encoding(body: bytes) -> None:
    """Refuse by name what a JSON reader would only call an invalid character."""
    if not body.strip():
        raise ApiError("invalid_json", "the body must be JSON, it is empty")
    if body.startswith(_GZIP):
        raise ApiError("unsupported_media_type", "the body must not be compressed, this is gzip")
    # JSON begins with an ASCII character: a zero beside it is half of one of UTF-16 or UTF-32.
    if body.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) or 0 in body[:2]:
        raise ApiError("invalid_json", "the body must be JSON in UTF-8, this looks like UTF-16")


def read_flag(name: str, text: str) -> bool:
    """A query parameter that is true or false."""
    if text not in ("true", "false"):
        got = repr(text[:LONGEST_ECHO])
        raise ApiError("unknown_category", f"{name} must be true or false, got {got}", name)
    return text == "true"


def read_object(value: object, fields: Collection[str], place: str = "") -> Mapping[str, object]:
    """An object that has all of `fields` and no others."""
    if not isinstance(value, dict):
        where = place.rstrip(".") or "the body"
        raise ApiError("wrong_type", f"{where} must be an object, got {type(value).__name__}")
    for name in value:
        if name not in fields:
            shown, known = name[:LONGEST_ECHO], ", ".join(fields)
            message = f"{place}{shown!r} is not a field here; the fields are {known}"
            raise ApiError("unknown_field", message, place + shown)
    for name in fields:
        if name not in value:
            raise ApiError("missing_field", f"{place}{name} is missing", place + name)
    return value


def read_list(value: object, name: str, most: int) -> list[object]:
    """A list of 1 to `most` entries."""
    if not isinstance(value, list):
        raise ApiError("wrong_type", f"{name} must be a list, got {type(value).__name__}", name)
    if not 1 <= len(value) <= most:
        message = f"{name} must hold 1 to {most} entries, got {len(value)}"
        raise ApiError("batch_size", message, name)
    return value


def read_text(value: object, name: str) -> str:
    """A string."""
    if not isinstance(value, str):
        raise ApiError("wrong_type", f"{name} must be text, got {type(value).__name__}", name)
    return value


def read_word(value: object, name: str, words: Collection[str]) -> str:
    """One of a closed set of words."""
    known = " or ".join(words)
    if not isinstance(value, str):
        message = f"{name} must be text, got {type(value).__name__}: it must be {known}"
        raise ApiError("wrong_type", message, name)
    if value not in words:
        got = repr(value[:LONGEST_ECHO])
        raise ApiError("unknown_category", f"{name} must be {known}, got {got}", name)
    return value


def read_count(value: object, name: str, most: int) -> int:
    """A whole number from 1 to `most`: 5 and 5.0, as JSON Schema has it, not 5.5."""
    got = repr(value)[:LONGEST_ECHO]
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if type(value) is not int:
        raise ApiError("wrong_type", f"{name} must be a whole number, got {got}", name)
    if not 1 <= value <= most:
        raise ApiError("out_of_range", f"{name} must be between 1 and {most}, got {got}", name)
    return value


def name_endpoint(route: str) -> str:
    """The endpoint that a route is counted as: pages for people are one, unknown paths another."""
    if route.startswith(_PAGES):
        return "/"
    return route if route in ENDPOINTS else OTHER
