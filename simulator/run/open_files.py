"""The system's limit of open files: each request in flight holds a connection, which is one."""

from __future__ import annotations

import contextlib
import sys
from typing import Final

# Beside connections a process holds its standard streams, the event loop, name look-ups.
_RESERVED: Final = 64


def allow_connections(wanted: int) -> int:
    """How many of `wanted` connections the system lets this process hold, at least one.

    Raises the process's own limit of open files as far as that needs and the system lets it.
    """
    if sys.platform == "win32":
        return wanted
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY or soft >= wanted + _RESERVED:
        return wanted
    reachable = wanted + _RESERVED
    if hard != resource.RLIM_INFINITY:
        reachable = min(reachable, hard)
    with contextlib.suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (reachable, hard))
        soft = reachable
    return max(1, min(wanted, soft - _RESERVED))
