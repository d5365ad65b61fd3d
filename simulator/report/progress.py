"""Progress while it runs: one line that is kept current on a terminal, else one each 10 s."""

from __future__ import annotations

import asyncio
import shutil
from typing import Final, TextIO

from simulator.report.request_stats import RequestStats

_TERMINAL_SECONDS: Final = 0.5
_PIPED_SECONDS: Final = 10.0


class Progress:
    """Writes to `out` (standard error, so that the summary can be piped) unless it is quiet."""

    def __init__(self, out: TextIO, quiet: bool) -> None:
        self._out = out
        self._quiet = quiet
        self._is_terminal = out.isatty()
        self._last_line = ""

    def show(self, line: str) -> None:
        """One line; on a terminal the next one takes its place. Repeats are left out."""
        if self._quiet or line == self._last_line:
            return
        self._last_line = line
        if self._is_terminal:
            width = shutil.get_terminal_size().columns - 1
            self._out.write(f"\r\x1b[K{line[:width]}")
        else:
            self._out.write(f"{line}\n")
        self._out.flush()

    def show_lasting(self, line: str) -> None:
        """One line that stays."""
        self.show(line)
        self.end_line()

    def end_line(self) -> None:
        """Leaves the current line as it is and goes to the next."""
        if self._is_terminal and self._last_line and not self._quiet:
            self._out.write("\n")
            self._out.flush()
        self._last_line = ""

    async def follow(self, stats: RequestStats) -> None:
        """Shows how the run goes until it is cancelled."""
        loop = asyncio.get_running_loop()
        start = loop.time()
        while True:
            await asyncio.sleep(_TERMINAL_SECONDS if self._is_terminal else _PIPED_SECONDS)
            self.show(format_progress(stats, loop.time() - start))


def format_progress(stats: RequestStats, elapsed: float) -> str:
    """The run so far, the most important first, as terminals are narrow; `elapsed` in seconds."""
    minutes, seconds = divmod(int(elapsed), 60)
    parts = [
        f"{minutes:02}:{seconds:02}",
        f"sent {stats.total_sent} ({stats.total_sent / elapsed:.1f}/s)",
    ]
    if stats.fraud_share is not None:
        parts.append(f"fraud {100 * stats.fraud_share:.1f} %")
    p95 = stats.latency.quantile(0.95)
    if p95 is not None:
        parts.append(f"p95 {p95 * 1000:.0f} ms")
    problems = {
        "refused": sum(n for s, n in stats.statuses.items() if 400 <= s < 500),
        "5xx": sum(n for s, n in stats.statuses.items() if s >= 500),
        "unanswered": stats.unanswered.total(),
        "not sent": stats.not_sent.total(),
        "under way": stats.in_flight,
    }
    parts += [f"{name} {number}" for name, number in problems.items() if number]
    if stats.labels is not None:
        parts.append(f"labels {stats.labels.outcomes.total()} of {stats.labels.planned}")
    return "  ".join(parts)
