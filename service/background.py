"""Work that no answer depends on: one thread behind a short queue.

What does not fit into the queue is dropped (backpressure). So work that is slow, or hangs, costs
its own results and never anybody's answer.
"""

from __future__ import annotations

import contextlib
import logging
import os
import threading
from collections.abc import Callable
from queue import Full, Queue

_log = logging.getLogger(__name__)
_NICENESS = 10


class BackgroundWorker:
    """Runs tasks one after the other in a thread of its own; `nice` gives it a low priority."""

    def __init__(self, name: str, capacity: int = 64, nice: bool = True) -> None:
        self._nice = nice
        self._tasks: Queue[Callable[[], None]] = Queue(capacity)
        threading.Thread(target=self._run, name=name, daemon=True).start()

    def submit(self, task: Callable[[], None]) -> bool:
        """Queue the task; False where the queue is full and the task is dropped."""
        try:
            self._tasks.put_nowait(task)
        except Full:
            return False
        return True

    def _run(self) -> None:
        if self._nice and hasattr(os, "setpriority") and os.uname().sysname == "Linux":
            # On Linux a thread has a priority of its own; a sandbox may forbid to change it.
            with contextlib.suppress(OSError):
                os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), _NICENESS)
        while True:
            task = self._tasks.get()
            try:
                task()
            except Exception as error:
                # The message may quote a transaction: only its kind is logged.
                _log.warning("background work failed: %s", type(error).__name__)
