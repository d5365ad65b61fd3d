"""Structured logs: one JSON object a line on standard output, tied to the trace."""

from __future__ import annotations

import asyncio
import logging
import os
import threading
import time
from collections.abc import Callable
from contextlib import nullcontext
from datetime import UTC, datetime
from typing import Any

import msgspec

from telemetry.log_output import LogOutput
from telemetry.tracing import current_ids

# Attributes given by `extra=` that are written; nothing else is, so no feature value slips in.
FIELDS = ("request_id", "method", "endpoint", "status", "duration_ms", "error_type", "stack")
# Workers that write to one file or pipe wait for each other: together 13 lines are one write.
GATHER_SECONDS = 0.01
_MOST_LINES = 256
_log = logging.getLogger("handler")
# What is the same in the record of every answered request.
_REQUEST = vars(logging.LogRecord("handler", 0, "", 0, "request answered", (), None))


class _Line(msgspec.Struct, omit_defaults=True):
    """A line's members in their order; the FIELDS, and what follows them, may be missing."""

    time: datetime
    level: str
    logger: str
    message: str
    process: int
    request_id: str | None = None
    method: str | None = None
    endpoint: str | None = None
    status: int | None = None
    duration_ms: float | None = None
    error_type: str | None = None
    stack: str | None = None
    trace_id: str | None = None
    span_id: str | None = None
    exception: str | None = None


_make_line: Callable[..., _Line] = _Line


class JsonFormatter(logging.Formatter):
    """time, level, logger, message, process, the FIELDS that were given, trace_id and span_id."""

    def __init__(self) -> None:
        super().__init__()
        self._encode = msgspec.json.Encoder().encode

    def format(self, record: logging.LogRecord) -> str:
        """The line as text, without its end."""
        return self.encode(record).decode()

    def encode(self, record: logging.LogRecord) -> bytes:
        """The line without its end."""
        given = record.__dict__.get
        trace_id, span_id = current_ids()
        line = _make_line(
            datetime.fromtimestamp(record.created, UTC),
            record.levelname.lower(),
            record.name,
            record.getMessage(),
            os.getpid(),
            trace_id=trace_id or None,
            span_id=span_id or None,
            exception=self.formatException(record.exc_info) if record.exc_info else None,
            **{name: given(name) for name in FIELDS},
        )
        return self._encode(line)


class LineHandler(logging.Handler):
    """Writes records to standard output as lines: each at once, or after `gather_on` those of a
    moment together. How many were lost is a line once lines are taken again."""

    def __init__(self) -> None:
        super().__init__()
        self._json = JsonFormatter()
        self._lines: list[bytes] = []
        self._output = LogOutput()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread = 0

    def gather_on(self, loop: asyncio.AbstractEventLoop) -> None:
        """From now on lines below a warning that are logged in this thread, in which `loop` runs,
        wait for each other, at most GATHER_SECONDS. A process that is killed loses those."""
        self._loop, self._thread = loop, threading.get_ident()

    def emit(self, record: logging.LogRecord) -> None:
        """What cannot be made a line of is reported on standard error, as logging does."""
        try:
            # What is logged meanwhile may be written at once: then the list is another.
            line = self._json.encode(record) + b"\n"
            self._lines.append(line)
            loop = self._loop
            if (
                loop is None
                or record.levelno >= logging.WARNING
                or threading.get_ident() != self._thread
                or len(self._lines) >= _MOST_LINES
                or not loop.is_running()
            ):
                self._write()
            elif len(self._lines) == 1:
                loop.call_later(GATHER_SECONDS, self._write_later, record)
        except Exception:
            self.handleError(record)

    def flush(self) -> None:
        """Write what waits."""
        with self.lock or nullcontext():
            self._write()

    def _write_later(self, record: logging.LogRecord) -> None:
        try:
            self.flush()
        except Exception:
            self.handleError(record)

    def _write(self) -> None:
        lines, self._lines = self._lines, []
        self._output.write(lines)
        self._output.write_loss(lambda lost: self._json.encode(_describe_loss(lost)) + b"\n")


def _describe_loss(lines: int) -> logging.LogRecord:
    message = "%d log lines before this one could not be written and are lost"
    return logging.LogRecord("handler", logging.WARNING, "", 0, message, (lines,), None)


def log_request(
    level: int,
    request_id: str,
    method: str,
    endpoint: str,
    status: int,
    seconds: float,
    error_type: str | None = None,
) -> None:
    """Log an answered request.

    Its record is made here: to find the caller's place in the code, the thread and the process,
    which no line has, would cost more than the line.
    """
    if not _log.isEnabledFor(level):
        return
    record = logging.LogRecord.__new__(logging.LogRecord)
    record.__dict__.update(
        _REQUEST,
        levelno=level,
        levelname=logging.getLevelName(level),
        created=time.time(),
        request_id=request_id,
        method=method,
        endpoint=endpoint,
        status=status,
        duration_ms=round(seconds * 1000, 3),
        error_type=error_type,
    )
    _log.handle(record)


def build_logging_config(level: str) -> dict[str, Any]:
    """A `logging.config` dictionary, for gunicorn and the handler alike."""
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "handlers": {"stdout": {"class": "telemetry.logs.LineHandler"}},
        "root": {"level": level.upper(), "handlers": ["stdout"]},
        "loggers": {
            # `export_log` writes one line for each kind of failure, and one when exports work
            # again; the exporters would write several for each attempt.
            "opentelemetry.exporter": {"level": "CRITICAL"},
            "gunicorn.error": {"level": level.upper(), "propagate": True, "handlers": []},
        },
    }
