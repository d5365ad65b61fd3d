"""Ctrl-C, SIGTERM and a closed terminal all end the stack in the same orderly way."""

from __future__ import annotations

import signal
from collections.abc import Callable
from types import FrameType

_ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Interrupted(BaseException):
    """Somebody asked for the end; the number of the signal is kept for the exit code."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.exit_code = 128 + number


def raise_on_signals() -> None:
    """From now on the signals raise Interrupted in the main thread."""

    def interrupt(number: int, frame: FrameType | None) -> None:
        raise Interrupted(number)

    _handle(interrupt)


def call_on_signals(action: Callable[[], None]) -> None:
    """From now on the signals call the action instead: a second Ctrl-C while all is ending."""
    _handle(lambda number, frame: action())


def _handle(handler: Callable[[int, FrameType | None], None]) -> None:
    for number in _ENDING:
        # What a parent ignores (nohup) stays ignored.
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, handler)
