"""`stop`: ends the stack, from another terminal than the one that shows it."""

from __future__ import annotations

import signal
import time

from stack import state
from stack.docker import engine
from stack.native import processes
from stack.settings import Settings
from stack.supervision.records import find_running, stop_processes

STOP_SECONDS = processes.STOP_SECONDS + 5


def stop(settings: Settings) -> int:
    """Ends the stack and what an earlier one left behind; 0 also when nothing ran."""
    current = state.read_running(settings.run)
    if current is not None:
        process = find_running(current.process)
        if process is not None:
            process.send_signal(signal.SIGTERM)
        if not _wait_for_end(settings):
            stop_processes([current.process], grace_seconds=0)
    processes.stop_left_over(settings, print)
    left = state.read(settings.run)
    if left is not None and left.mode == state.DOCKER:
        engine.find_compose(settings.root).down()
    state.clear(settings.run)
    print("Stopped." if current or left else "Nothing was running.")
    return 0


def _wait_for_end(settings: Settings) -> bool:
    until = time.monotonic() + STOP_SECONDS
    while time.monotonic() < until:
        if not state.is_locked(settings.run):
            return True
        time.sleep(0.1)
    return False
