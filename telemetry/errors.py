"""Why telemetry cannot start."""

from __future__ import annotations


class TelemetryError(Exception):
    """One sentence that names the variable, its value and what was expected."""
