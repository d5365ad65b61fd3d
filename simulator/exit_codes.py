"""The exit codes; scripts rely on them."""

from __future__ import annotations

from typing import Final

from simulator.report.request_stats import RequestStats

SUCCESS: Final = 0
NOT_REACHED: Final = 1
FAILED: Final = 3


def choose_exit_code(stats: RequestStats, max_failed: float, interrupted: bool) -> int:
    """FAILED where more than the share `max_failed` of anything failed."""
    # A target that described its model but then answered nothing was as good as never reached.
    if stats.failed_share == 1 and not stats.answered:
        return NOT_REACHED
    shares = [stats.failed_share]
    if stats.faults_requested:
        shares.append(stats.faults_ignored / stats.faults_requested)
    if stats.labels is not None and not interrupted:
        shares.append(stats.labels.failed_share)
    return FAILED if max(shares) > max_failed else SUCCESS
