"""Waiting for a condition with a deadline: tests poll, they do not sleep for a guessed time."""

from __future__ import annotations

import time
from collections.abc import Callable

import requests


def until(condition: Callable[[], bool], seconds: float, what: str, every: float = 0.1) -> float:
    """The seconds until the condition held; AssertionError naming `what` after `seconds`."""
    began = time.monotonic()
    while time.monotonic() - began < seconds:
        if condition():
            return time.monotonic() - began
        time.sleep(every)
    raise AssertionError(f"not within {seconds:g} s: {what}")


def answers(url: str, auth: tuple[str, str] | None = None) -> bool:
    """True when the address answers with 200."""
    try:
        return requests.get(url, timeout=2, auth=auth).status_code == 200
    except requests.RequestException:
        return False
