"""Every way in which a request is refused, and the one JSON shape in which it is told.

    ApiError                  status, type, message, field
    └── raised by views; Flask's own errors are turned into it by `from_http`

The types are a closed set: they are the `type` label of `errors_total`.
"""

from __future__ import annotations

from werkzeug.exceptions import HTTPException

from telemetry.error_types import STATUS_OF_ERROR

_TYPE_OF_STATUS = {
    status: name
    for name, status in STATUS_OF_ERROR.items()
    if status != 400 and not name.endswith("_receipt")
} | {400: "bad_request"}


class ApiError(Exception):
    """A refusal; `message` is one sentence for the caller, never logged (it may echo a value)."""

    def __init__(
        self,
        type: str,
        message: str,
        field: str | None = None,
        headers: dict[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.type = type
        self.status = STATUS_OF_ERROR[type]
        self.message = message
        self.field = field
        self.headers = headers or {}

    def body(self, request_id: str) -> dict[str, object]:
        """The answer's JSON: {"error": {"type", "message", "field", "request_id"}}."""
        error = {"type": self.type, "message": self.message, "field": self.field}
        return {"error": {**error, "request_id": request_id}}


def from_http(error: HTTPException) -> ApiError:
    """Flask's own error in the same shape; an unlisted 4xx is bad_request, 5xx is internal."""
    status = error.code or 500
    fallback = "internal" if status >= 500 else "bad_request"
    headers = {
        name: value
        for name, value in error.get_headers()
        if name.lower() in {"allow", "retry-after"}
    }
    name = _TYPE_OF_STATUS.get(status, fallback)
    return ApiError(name, error.description or error.name, headers=headers)
