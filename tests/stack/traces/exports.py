"""OTLP/JSON as the Collector's file exporter writes it."""

from __future__ import annotations

import json
from typing import Any

SECOND = 1_000_000_000
TRACE = "5b8efff798038103d269b633813fc60c"
OTHER = "5b8e000000000000d269b633813fc60c"


def attribute(name: str, value: str | int) -> dict[str, Any]:
    kind = "stringValue" if isinstance(value, str) else "intValue"
    return {"key": name, "value": {kind: str(value)}}


def span(
    name: str,
    span_id: str,
    begin: float,
    end: float,
    parent: str = "",
    trace: str = TRACE,
    **attributes: str | int,
) -> dict[str, Any]:
    """Times in seconds; an attribute's name has _ for a point."""
    return {
        "traceId": trace,
        "spanId": span_id,
        "parentSpanId": parent,
        "name": name,
        "startTimeUnixNano": str(int(begin * SECOND)),
        "endTimeUnixNano": str(int(end * SECOND)),
        "attributes": [attribute(key.replace("__", "."), v) for key, v in attributes.items()],
        "status": {"code": 2} if attributes.get("http__response__status_code") == 500 else {},
    }


def export(*spans: dict[str, Any]) -> str:
    """One line of the file."""
    resource = {"attributes": [attribute("service.name", "fraud-handler")]}
    scopes = [{"scope": {}, "spans": list(spans)}]
    return json.dumps({"resourceSpans": [{"resource": resource, "scopeSpans": scopes}]}) + "\n"


REQUEST = span("POST /predict", "a1", 10, 10.02, http__response__status_code=200)
VALIDATE = span("validate", "b1", 10, 10.002, "a1")
SCORE = span("score", "b2", 10.005, 10.015, "a1", prediction__class_name="fraud")
