"""docs/feedback.md: every result of a label with its status."""

from __future__ import annotations

from telemetry.error_types import STATUS_OF_ERROR
from telemetry.metrics import FEEDBACK_RESULTS
from tests.docs.pages import DOCS, rows, section

PAGE = DOCS / "feedback.md"


def status_of(result: str) -> int:
    """The HTTP status of a single label with this result."""
    return {"counted": 200, **STATUS_OF_ERROR}.get(result) or STATUS_OF_ERROR[f"{result}_receipt"]


def test_results_are_listed_with_their_status() -> None:
    listed = {row[0].strip("`"): row[1] for row in rows(section(PAGE, "Send a label"))}
    assert listed == {result: str(status_of(result)) for result in FEEDBACK_RESULTS}
