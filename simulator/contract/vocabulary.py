"""The words that the simulator shares with a scoring service, restated: it imports nothing of one.

tests/simulator/contract/test_vocabulary.py holds them equal to model/serving/vocabulary.py,
model/serving/card.py, telemetry/error_types.py, telemetry/metrics.py and the service's API.
"""

from __future__ import annotations

from typing import Final

PREDICT_PATH: Final = "/predict"
FEEDBACK_PATH: Final = "/feedback"
MODEL_INFO_PATH: Final = "/model_info"
OPENAPI_PATH: Final = "/openapi.json"

LEGITIMATE: Final = "legitimate"
FRAUD: Final = "fraud"
CLASS_NAMES: Final = (LEGITIMATE, FRAUD)

PREMIUM: Final = "premium"
STANDARD: Final = "standard"
BASIC: Final = "basic"
USER_TYPES: Final = (PREMIUM, STANDARD, BASIC)
USER_TYPE_FIELD: Final = "user_type"

NUMBER: Final = "number"
INTEGER: Final = "integer"
BOOLEAN: Final = "boolean"
CATEGORY: Final = "category"
FEATURE_TYPES: Final = (NUMBER, INTEGER, BOOLEAN, CATEGORY)

# What a service says of a receipt with its label. It may say more; those count as they are called.
COUNTED: Final = "counted"
REPEATED: Final = "repeated"
UNAVAILABLE: Final = "unavailable"
FUTURE: Final = "future"
# Nothing was counted: the same label is to be sent again.
RETRYABLE_RESULTS: Final = (UNAVAILABLE, FUTURE)

# Of a batch with more entries than the service takes.
BATCH_SIZE_ERROR: Final = "batch_size"

# Kinds of invalid requests, as the summary calls them.
MISSING_FIELD: Final = "missing_field"
WRONG_TYPE: Final = "wrong_type"
OUT_OF_RANGE: Final = "out_of_range"
UNKNOWN_CATEGORY: Final = "unknown_category"
UNKNOWN_FIELD: Final = "unknown_field"
BROKEN_JSON: Final = "broken_json"
TOO_LARGE: Final = "too_large"
INVALID_VALUES: Final = (MISSING_FIELD, WRONG_TYPE, OUT_OF_RANGE, UNKNOWN_CATEGORY)

# The error type with which each kind must be refused, and that type's HTTP status.
ERROR_OF_KIND: Final = {
    **{kind: kind for kind in (*INVALID_VALUES, UNKNOWN_FIELD, TOO_LARGE)},
    BROKEN_JSON: "invalid_json",
}
INTERNAL_ERROR: Final = "internal"
STATUS_OF_ERROR: Final = {
    **dict.fromkeys((*INVALID_VALUES, UNKNOWN_FIELD, "invalid_json"), 400),
    TOO_LARGE: 413,
    INTERNAL_ERROR: 500,
}

# Asks the service to inject a fault; it does where its setting FAULT_HEADERS is on.
FAULT_HEADER: Final = "X-Fault"

# Kinds of valid requests, as the summary calls them: the last two ask for an injected fault.
VALID: Final = "valid"
DELAY_REQUESTED: Final = "asked_slow"
ERROR_REQUESTED: Final = "asked_error"

# The scenarios, as --scenario takes them.
STEADY: Final = "steady"
DRIFT: Final = "drift"
CONCEPT: Final = "concept"
FRAUD_BURST: Final = "fraud-burst"
BAD_DATA: Final = "bad-data"
SLOW: Final = "slow"
ERRORS: Final = "errors"
OUTAGE: Final = "outage"
LATE_LABELS: Final = "late-labels"
SCENARIO_NAMES: Final = (
    STEADY,
    DRIFT,
    CONCEPT,
    FRAUD_BURST,
    BAD_DATA,
    SLOW,
    ERRORS,
    OUTAGE,
    LATE_LABELS,
)


def expected_status(kind: str) -> int:
    """The HTTP status with which a kind of invalid request must be refused."""
    return STATUS_OF_ERROR[ERROR_OF_KIND[kind]]
