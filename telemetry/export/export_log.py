"""What is logged of exports: one line for each kind of failure, one when they work again."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable
from dataclasses import dataclass

from telemetry.export.failures import ExportFailure

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Signal:
    """What is exported; `variable` is its part in the names OTEL_EXPORTER_OTLP_…."""

    name: str
    variable: str
    while_failing: str
    afterwards: str


METRICS = Signal(
    "metrics",
    "METRICS",
    while_failing="the counts are kept and sent later",
    afterwards="nothing is missing, counts are totals",
)
SPANS = Signal(
    "spans",
    "TRACES",
    while_failing="the spans of this time are lost",
    afterwards="those of the time before are lost",
)


class ExportLog:
    """The log of one signal's exports; `take_failure` gives the reason of the last failure."""

    def __init__(
        self, signal: Signal, take_failure: Callable[[], ExportFailure | None] | None = None
    ) -> None:
        self._signal = signal
        self._take_failure = take_failure or (lambda: None)
        self._logged: set[str] = set()

    def report(self, succeeded: bool) -> None:
        """An export has succeeded or failed."""
        failure = self._take_failure()
        if not succeeded:
            self._log_failure(failure)
        elif self._logged:
            self._logged.clear()
            _log.warning("%s are delivered again; %s", self._signal.name, self._signal.afterwards)

    def _log_failure(self, failure: ExportFailure | None) -> None:
        kind = "unknown" if failure is None else failure.kind
        if kind in self._logged:
            return
        self._logged.add(kind)
        parts = [f"{self._signal.name} cannot be delivered", self._signal.while_failing]
        if failure is not None:
            parts.insert(1, f"{failure.reason}, see {self._name_variable(failure)}")
        _log.warning("; ".join(parts))

    def _name_variable(self, failure: ExportFailure) -> str:
        """The variable to look at: the signal's own where it is set, for it takes precedence."""
        own = failure.variable.replace("_OTLP_", f"_OTLP_{self._signal.variable}_")
        return own if os.environ.get(own) else failure.variable
