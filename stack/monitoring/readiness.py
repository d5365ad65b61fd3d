"""When the stack is ready: every part answers and the count of predictions grows."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from stack.errors import StackError
from stack.monitoring.http import get_text
from stack.monitoring.key_metrics import Source
from stack.progress import ProgressDisplay

READY_SECONDS = 180.0
POLL_SECONDS = 1.0


@dataclass(frozen=True)
class Probe:
    """A part of the stack and the address that answers with 2xx once it is ready."""

    name: str
    url: str


def wait_until_ready(
    source: Source,
    probes: Sequence[Probe],
    check: Callable[[], None],
    display: ProgressDisplay,
    name: str = "service",
    place: str = "",
) -> None:
    """Returns when every part answers and the count of predictions was seen to grow.

    `name` is what is waited for, `place` where it is then. `check` raises when a part has ended.
    Raises StackError after 180 s, naming what is missing.
    """
    task = display.start(name)
    deadline = time.monotonic() + READY_SECONDS
    before: float | None = None
    while True:
        silent = [probe.name for probe in probes if get_text(probe.url) is None]
        total = None if silent else source.read().total
        if total is not None and before is not None and total > before:
            display.finish(task, f"ready{place}, {total:,.0f} predictions and growing")
            return
        before = total
        waiting = _describe_waiting(silent, total)
        task.update(waiting)
        try:
            check()
            if time.monotonic() > deadline:
                raise StackError(f"Not ready after {READY_SECONDS:.0f} s: {waiting}; see logs/.")
        except StackError:
            display.finish(task, waiting, failed=True)
            raise
        time.sleep(POLL_SECONDS)


def _describe_waiting(silent: Sequence[str], total: float | None) -> str:
    if silent:
        return f"waiting for {', '.join(silent)}"
    if total is None:
        return "waiting for the first predictions"
    return f"waiting for more than {total:,.0f} predictions"
