"""No process outlives the one that started it, even when that one is killed (Linux only).

Elsewhere the next start, or `stop`, ends what was left over by its records.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys

_PR_SET_PDEATHSIG = 1
_INIT = 1


def die_with_parent(number: signal.Signals = signal.SIGTERM) -> None:
    """The kernel sends the signal to this process when its parent thread ends; survives exec."""
    if sys.platform != "linux":
        return
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, int(number), 0, 0, 0)
    if os.getppid() == _INIT:
        # The parent died before the kernel was asked.
        raise SystemExit(1)
