"""What is told while it runs: one line that is kept current on a terminal, else one each 10 s."""

from __future__ import annotations

import asyncio
import shutil
from typing import TextIO

from simulator.report.request_stats import Tally

_TERMINAL_SECONDS = 0.5
_PIPED_SECONDS = 10.0


class Progress:
    """Writes to `out` (standard error, so that the summary can be piped) unless it is quiet."""

    def __init__(self, out: TextIO, quiet: bool) -> None:
        self._out = out
        self._quiet = quiet
        self._live = out.isatty()
        self._said = ""

    def say(self, line: str) -> None:
        """One line; on a terminal the next one takes its place. Repeats are left out."""
        if self._quiet or line == self._said:
            return
        self._said = line
        if self._live:
            width = shutil.get_terminal_size().columns - 1
            self._out.write(f"\r\x1b[K{line[:width]}")
        else:
            self._out.write(f"{line}\n")
        self._out.flush()

    def keep(self, line: str) -> None:
        """One line that stays."""
        self.say(line)
        self.close()

    def close(self) -> None:
        """Leaves the live line as it is and goes to the next."""
        if self._live and self._said and not self._quiet:
            self._out.write("\n")
            self._out.flush()
        self._said = ""

    async def follow(self, tally: Tally) -> None:
        """Tells how the run goes until it is cancelled."""
        loop = asyncio.get_running_loop()
        start = loop.time()
        while True:
            await asyncio.sleep(_TERMINAL_SECONDS if self._live else _PIPED_SECONDS)
            self.say(progress_line(tally, loop.time() - start))


def progress_line(tally: Tally, elapsed: float) -> str:
    """The run so far, the most important first, as terminals are narrow."""
    minutes, seconds = divmod(int(elapsed), 60)
    parts = [
        f"{minutes:02}:{seconds:02}",
        f"sent {tally.total_sent} ({tally.total_sent / elapsed:.1f}/s)",
    ]
    if tally.fraud_share is not None:
        parts.append(f"fraud {100 * tally.fraud_share:.1f} %")
    p95 = tally.latency.quantile(0.95)
    if p95 is not None:
        parts.append(f"p95 {p95 * 1000:.0f} ms")
    troubles = {
        "refused": sum(n for s, n in tally.statuses.items() if 400 <= s < 500),
        "5xx": sum(n for s, n in tally.statuses.items() if s >= 500),
        "unanswered": tally.unanswered.total(),
        "not sent": tally.not_sent.total(),
        "under way": tally.in_flight,
    }
    parts += [f"{name} {number}" for name, number in troubles.items() if number]
    if tally.labels is not None:
        parts.append(f"labels {tally.labels.outcomes.total()} of {tally.labels.known}")
    return "  ".join(parts)
