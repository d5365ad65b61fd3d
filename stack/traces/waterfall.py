"""A trace, and a list of them, as lines of text."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence

from stack.traces.spans import Span, Trace

NAME_WIDTH = 28
LEAST_BAR = 10
_NUMBERS_WIDTH = 12
# What is said of a span's attributes, and how; the live view says the same (js/waterfall.js).
TOLD = {
    "http.response.status_code": "{}",
    "error.type": "{}",
    "prediction.class_name": "{}",
    "prediction.risk_level": "{} risk",
    "prediction.count": "{} scored",
    "model.version": "model {}",
}


def list_lines(traces: Sequence[Trace]) -> list[str]:
    """One line a trace: when, its id, what was asked, how long it took, what became of it."""
    return [
        f"{_moment(trace.start)}  {trace.trace_id}  {_cut(trace.root.name, 20):<20}"
        f" {_duration(trace.end - trace.start):>10}  {_describe_whole(trace)}"
        for trace in traces
    ]


def waterfall(trace: Trace, width: int) -> list[str]:
    """The spans below each other, each with a bar at its time, as wide as the terminal."""
    root = trace.root
    head = (
        f"{trace.trace_id}  {root.service}  {_moment(trace.start)}"
        f"  {_duration(trace.end - trace.start)}"
    )
    bar = max(LEAST_BAR, (width - NAME_WIDTH - _NUMBERS_WIDTH) // 2)
    return [head, *(_line(trace, span, depth, bar) for span, depth in _in_order(trace))]


def _in_order(trace: Trace) -> Iterator[tuple[Span, int]]:
    """Each span after its parent, with its depth; one whose parent is not there is a first one."""
    known = {span.span_id for span in trace.spans}
    firsts = [span for span in trace.spans if span.parent_id not in known]
    left = [(span, 0) for span in reversed(firsts)]
    while left:
        span, depth = left.pop()
        yield span, depth
        children = [each for each in trace.spans if each.parent_id == span.span_id]
        left += [(child, depth + 1) for child in reversed(children)]


def _line(trace: Trace, span: Span, depth: int, width: int) -> str:
    name = _cut("  " * depth + span.name, NAME_WIDTH)
    whole = max(trace.end - trace.start, 1)
    begin = (span.start - trace.start) * width // whole
    long = max(1, -(-(span.end - span.start) * width // whole))
    begin = min(begin, width - 1)
    bar = " " * begin + "█" * min(long, width - begin)
    text = f"{name:<{NAME_WIDTH}} {bar:<{width}} {_duration(span.end - span.start):>10}"
    return f"{text}  {_describe(span)}".rstrip()


def _describe_whole(trace: Trace) -> str:
    said = [_describe(span) for span in trace.spans]
    return " · ".join(each for each in said if each)


def _describe(span: Span) -> str:
    told = [
        text.format(span.attributes[name]) for name, text in TOLD.items() if name in span.attributes
    ]
    return " · ".join((*(("failed",) if span.failed else ()), *told))


def _duration(nanoseconds: int) -> str:
    milliseconds = nanoseconds / 1e6
    return f"{milliseconds / 1000:.2f} s" if milliseconds >= 1000 else f"{milliseconds:.2f} ms"


def _moment(nanoseconds: int) -> str:
    return time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(nanoseconds / 1e9))


def _cut(text: str, width: int) -> str:
    return text if len(text) <= width else f"{text[: width - 1]}…"
