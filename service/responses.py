"""Answers as bytes, without any web framework: every one is JSON, errors have one shape."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import msgspec

from service.errors import ApiError

JSON = "application/json"


@dataclass(frozen=True, slots=True)
class Answer:
    """Status, body and headers beside the content type."""

    body: bytes
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    content_type: str = JSON


def answer_json(content: object, status: int = 200) -> Answer:
    """`content` as JSON."""
    return Answer(msgspec.json.encode(content), status)


def answer_error(error: ApiError, request_id: str) -> Answer:
    """{"error": {"type", "message", "field", "request_id"}}, for every error."""
    content = {
        "type": error.type,
        "message": error.message,
        "field": error.field,
        "request_id": request_id,
    }
    return Answer(msgspec.json.encode({"error": content}), error.status, error.headers)
