"""Structured logs: one JSON object a line on standard output, tied to the trace."""

from __future__ import annotations

import logging
from datetime import UTC, datetime
from typing import Any

import msgspec

from telemetry.tracing import current_ids

# Attributes given by `extra=` that are written; nothing else is, so no feature value slips in.
FIELDS = ("request_id", "method", "endpoint", "status", "duration_ms", "error_type", "stack")


class JsonFormatter(logging.Formatter):
    """time, level, logger, message, process, the FIELDS that were given, trace_id and span_id."""

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, object] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
            "process": record.process,
        }
        line |= {name: getattr(record, name) for name in FIELDS if hasattr(record, name)}
        trace_id, span_id = current_ids()
        if trace_id:
            line |= {"trace_id": trace_id, "span_id": span_id}
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return msgspec.json.encode(line).decode()


def build_logging_config(level: str) -> dict[str, Any]:
    """A `logging.config` dictionary, for gunicorn and the handler alike."""
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"json": {"()": "telemetry.logs.JsonFormatter"}},
        "handlers": {
            "stdout": {
                "class": "logging.StreamHandler",
                "stream": "ext://sys.stdout",
                "formatter": "json",
            }
        },
        "root": {"level": level.upper(), "handlers": ["stdout"]},
        "loggers": {
            # `export_log` writes one line for each kind of failure, and one when exports work
            # again; the exporters would write several for each attempt.
            "opentelemetry.exporter": {"level": "CRITICAL"},
            "gunicorn.error": {"level": level.upper(), "propagate": True, "handlers": []},
        },
    }
