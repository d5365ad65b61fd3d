"""The closed sets of words that all of the service shares, each declared here and nowhere else.

The API's description, the labels of the metrics and the rules follow from them. The simulator,
which imports nothing of the service, has its own copy; a test holds the two equal.
"""

from __future__ import annotations

from typing import Final

LEGITIMATE: Final = "legitimate"
FRAUD: Final = "fraud"
CLASS_NAMES: Final = (LEGITIMATE, FRAUD)
# The most valuable customers first.
PREMIUM: Final = "premium"
STANDARD: Final = "standard"
BASIC: Final = "basic"
USER_TYPES: Final = (PREMIUM, STANDARD, BASIC)
LOW_RISK: Final = "low"
MEDIUM_RISK: Final = "medium"
HIGH_RISK: Final = "high"
RISK_LEVELS: Final = (LOW_RISK, MEDIUM_RISK, HIGH_RISK)
HIGH_VALUE: Final = "high"
LOW_VALUE: Final = "low"
VALUE_BANDS: Final = (HIGH_VALUE, LOW_VALUE)

# How a feature's value can be at fault: the error's type in an answer, and the value of the label
# `problem` that it is counted by. What is no feature's fault (`unknown_field`) has no problem.
PROBLEM_OF_ERROR: Final = {
    "missing_field": "missing",
    "wrong_type": "wrong_type",
    "out_of_range": "out_of_range",
    "unknown_category": "unknown_category",
}
PROBLEMS: Final = tuple(PROBLEM_OF_ERROR.values())
TRANSACTION_ERRORS: Final = (*PROBLEM_OF_ERROR, "unknown_field")
