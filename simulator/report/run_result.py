"""What was run against what, and what came of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from simulator.contract.vocabulary import STEADY
from simulator.report.request_stats import RequestStats

QUANTILES: Final = (("p50", 0.5), ("p95", 0.95), ("p99", 0.99))


@dataclass(frozen=True)
class RunResult:
    """A run that has ended; `rate` None for one user's think times.

    `known_process`: the rows and their labels come from the default model's documented process.
    """

    target: str
    model_version: str
    seed: int
    rate: float | None
    started: datetime
    interrupted: bool
    exit_code: int
    stats: RequestStats
    scenario: str = STEADY
    replayed: str | None = None
    known_process: bool = False
