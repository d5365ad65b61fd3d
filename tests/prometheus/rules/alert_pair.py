"""What an alert is tried with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypedDict

from tests.prometheus.rules.series import JOB


class Times(TypedDict):
    """When a pair is asked, and how far its samples and evaluations are apart."""

    at: str
    interval: str
    every: str


@dataclass(frozen=True)
class Pair:
    """Series with which the alert fires, and series with which it does not."""

    alert: str
    fires: Mapping[str, str]
    silent: Mapping[str, str]
    severity: str = "ticket"
    labels: str = JOB
    at: str = "70m"
    interval: str = "1m"
    every: str = "1m"
    not_severity: tuple[str, ...] = field(default=())

    def id(self) -> str:
        """Name of the test."""
        return f"{self.alert}-{self.severity}"
