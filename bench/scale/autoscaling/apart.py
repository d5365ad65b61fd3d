"""Namespaces of its own for a command: an empty network, and processes that end when it ends."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Sequence
from types import FrameType

import psutil

NEEDED = {"unshare": "util-linux", "ip": "iproute2", "openssl": "openssl", "go": "Go"}
"""Commands of the drill, and what has them."""


class ApartError(Exception):
    """The command cannot be run apart; the sentence says why."""


def check_commands() -> None:
    """ApartError for the first command that is missing, or where no namespace can be made."""
    for name, package in NEEDED.items():
        if shutil.which(name) is None:
            raise ApartError(f"the command `{name}` ({package}) is not on the PATH.")
    tried = subprocess.run(
        [*_unshare(), "true"], capture_output=True, text=True, check=False, timeout=30
    )
    if tried.returncode != 0:
        said = tried.stderr.strip() or f"exit code {tried.returncode}"
        raise ApartError(
            "this machine gives no namespaces for network and processes (root, or user namespaces,"
            f" are wanted): {said}"
        )


def run_apart(command: Sequence[str], seconds: float) -> int:
    """Its exit code, 124 after `seconds`; whatever happens, nothing that it started goes on.

    A SIGTERM ends it as Ctrl-C does.
    """
    raised = 'ip link set lo up && exec "$@"'
    before = signal.signal(signal.SIGTERM, stop_as_ctrl_c)
    started = subprocess.Popen([*_unshare(), "sh", "-c", raised, "sh", *command])
    try:
        return started.wait(seconds)
    except subprocess.TimeoutExpired:
        print(f"ended after {seconds:g} s, which is more than it may take", file=sys.stderr)
        return 124
    finally:
        _end(started)
        signal.signal(signal.SIGTERM, before)


def _end(started: subprocess.Popen[bytes]) -> None:
    """Returns when the last of its processes is gone: the first one goes after all others."""
    if started.poll() is None:
        inside = psutil.Process(started.pid).children()
        started.kill()
        started.wait()
        psutil.wait_procs(inside, timeout=30)


def _unshare() -> list[str]:
    """The first process ends with unshare, and all others with the first."""
    user = [] if os.geteuid() == 0 else ["--map-root-user"]
    return ["unshare", *user, "--net", "--pid", "--fork", "--kill-child", "--mount-proc", "--"]


def stop_as_ctrl_c(number: int, frame: FrameType | None) -> None:
    """A handler of SIGTERM."""
    raise KeyboardInterrupt
