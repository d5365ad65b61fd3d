"""Ctrl-C and SIGTERM end a run early; its summary is still printed."""

from __future__ import annotations

import asyncio
import signal


def cancel_on_signals() -> None:
    """The first SIGINT or SIGTERM cancels the running task."""
    task, loop = asyncio.current_task(), asyncio.get_running_loop()
    assert task is not None

    def cancel() -> None:
        # Only once: a process manager may send both signals, the second would end the summary.
        if not task.cancelling():
            task.cancel()

    for number in (signal.SIGINT, signal.SIGTERM):
        # Windows' event loop knows no signal handlers.
        try:
            loop.add_signal_handler(number, cancel)
        except NotImplementedError:
            signal.signal(number, lambda *_: loop.call_soon_threadsafe(cancel))
