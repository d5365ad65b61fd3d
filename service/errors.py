"""Every way in which a request is refused or fails, as one exception.

    ApiError                  status, type, message, field
    └── raised wherever a request is read; Werkzeug's own errors are turned into it by
        `translate_http_error`

The types are a closed set: they are the label `type` of errors_total (telemetry/error_types.py).
"""

from __future__ import annotations

from werkzeug.exceptions import HTTPException

from telemetry.error_types import STATUS_OF_ERROR

_TYPE_OF_STATUS = {
    status: name
    for name, status in STATUS_OF_ERROR.items()
    if status not in (400, 422) and not name.endswith("_receipt")
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


def translate_http_error(error: HTTPException, max_body_bytes: int) -> ApiError:
    """Werkzeug's own error in the same shape; an unlisted 4xx is bad_request, 5xx is internal."""
    if error.code == 413:
        return ApiError("too_large", f"the body must have at most {max_body_bytes} bytes")
    status = error.code or 500
    fallback = "internal" if status >= 500 else "bad_request"
    headers = {
        name: value
        for name, value in error.get_headers()
        if name.lower() in {"allow", "retry-after"}
    }
    name = _TYPE_OF_STATUS.get(status, fallback)
    return ApiError(name, error.description or error.name, headers=headers)
