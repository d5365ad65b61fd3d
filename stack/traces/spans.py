"""Spans, as the Collector's file exporter writes them: a line is one export in OTLP/JSON.

Times are unix nanoseconds.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_ERROR = 2  # OTLP: STATUS_CODE_ERROR
FILE = "traces.jsonl"
"""The file that is written; the one before it has the moment of its end in its name."""


@dataclass(frozen=True)
class Span:
    """A piece of work within a trace; `parent_id` is "" for the first one of this service."""

    trace_id: str
    span_id: str
    parent_id: str
    name: str
    start: int
    end: int
    failed: bool
    service: str
    attributes: Mapping[str, str]


@dataclass(frozen=True)
class Trace:
    """The spans of one request in the order in which they began; at least one."""

    trace_id: str
    spans: tuple[Span, ...]

    @property
    def root(self) -> Span:
        """The span whose parent is not among them."""
        known = {span.span_id for span in self.spans}
        return next((each for each in self.spans if each.parent_id not in known), self.spans[0])

    @property
    def start(self) -> int:
        """When its first span began."""
        return self.spans[0].start

    @property
    def end(self) -> int:
        """When its last span ended."""
        return max(span.end for span in self.spans)


def read_traces(folder: Path) -> list[Trace]:
    """Every trace of the folder's files, the newest first; none without a folder."""
    spans: dict[str, dict[str, Span]] = {}
    for path in sorted(folder.glob(f"{Path(FILE).stem}*.jsonl")):
        for span in _read_file(path):
            # Sent twice, when the answer to the first time was lost: the same span.
            spans.setdefault(span.trace_id, {})[span.span_id] = span
    traces = [
        Trace(trace_id, tuple(sorted(found.values(), key=lambda span: span.start)))
        for trace_id, found in spans.items()
    ]
    return sorted(traces, key=lambda trace: trace.start, reverse=True)


def _read_file(path: Path) -> Iterator[Span]:
    try:
        text = path.read_text(encoding="utf-8", errors="replace")
    except FileNotFoundError:
        # Set aside, and the one before removed, while the folder was read.
        return
    for line in text.splitlines():
        try:
            yield from list(_spans_of(json.loads(line)))
        except (ValueError, KeyError, TypeError, AttributeError):
            # The last line while it is written, or one that a kill cut off.
            continue


def _spans_of(export: dict[str, Any]) -> Iterator[Span]:
    for resource in export["resourceSpans"]:
        service = _attributes(resource.get("resource", {})).get("service.name", "")
        for scope in resource["scopeSpans"]:
            for span in scope["spans"]:
                yield Span(
                    trace_id=span["traceId"],
                    span_id=span["spanId"],
                    parent_id=span.get("parentSpanId", ""),
                    name=span["name"],
                    start=int(span["startTimeUnixNano"]),
                    end=int(span["endTimeUnixNano"]),
                    failed=span.get("status", {}).get("code") == _ERROR,
                    service=service,
                    attributes=_attributes(span),
                )


def _attributes(holder: dict[str, Any]) -> dict[str, str]:
    """Values as text: each is {"stringValue": …}, {"intValue": "200"} and so on."""
    return {
        each["key"]: str(next(iter(each["value"].values()), ""))
        for each in holder.get("attributes", ())
    }
