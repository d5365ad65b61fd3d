"""Every way in which a request is refused or fails: the type in its answer, and the HTTP status.

The types are the closed set of the label `type` of errors_total; the statuses that an endpoint is
known to give follow from them.
"""

from __future__ import annotations

from typing import Final

from model.serving.vocabulary import TRANSACTION_ERRORS

# What is wrong with a body; counted from the start, so that a rate of them is never empty.
VALIDATION_ERRORS: Final = ("invalid_json", *TRANSACTION_ERRORS, "batch_size")
STATUS_OF_ERROR: Final[dict[str, int]] = {
    **dict.fromkeys(VALIDATION_ERRORS, 400),
    "bad_request": 400,
    "unauthorized": 401,
    "not_found": 404,
    "method_not_allowed": 405,
    "request_timeout": 408,
    # What obeys every schema and is refused by its meaning.
    "forged_receipt": 422,
    "too_many_explained": 422,
    "foreign_receipt": 409,
    "repeated_receipt": 409,
    "expired_receipt": 410,
    "future_receipt": 503,
    "too_large": 413,
    "unsupported_media_type": 415,
    "too_many_requests": 429,
    "internal": 500,
    "unavailable": 503,
}
