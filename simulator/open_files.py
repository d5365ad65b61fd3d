"""Each request under way holds a connection, and some systems allow few of them by default."""

from __future__ import annotations

import contextlib
import sys


def allow_open_files(wanted: int) -> None:
    """Raises this process's own limit towards `wanted`, as far as the system lets it."""
    if sys.platform == "win32":
        return
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY or soft >= wanted:
        return
    allowed = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
    with contextlib.suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (allowed, hard))
