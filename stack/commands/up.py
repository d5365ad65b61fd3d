"""`up`: docker compose where an engine runs, else local processes."""

from __future__ import annotations

import os

from stack import state
from stack.docker import engine
from stack.docker.containers import DockerStack, ImagesMissing
from stack.docker.engine import Compose
from stack.errors import StackError
from stack.monitoring import alerts
from stack.native import processes
from stack.native.run import NativeStack
from stack.settings import PROMETHEUS, Settings
from stack.signals import raise_on_signals
from stack.terminal import print_message


def up(settings: Settings, mode: str | None, store: str = PROMETHEUS) -> int:
    """Runs the stack until a signal; `mode` is docker, native or None for the best there is.

    Another store than Prometheus is there for local processes only.
    """
    if store != PROMETHEUS and mode != state.NATIVE:
        raise StackError(f"--store {store} is there for local processes only: add --native.", 2)
    raise_on_signals()
    alerts.check_settings(settings, os.environ)
    with state.acquire(settings.run):
        processes.stop_left_over(settings, print_message)
        compose = (
            None if mode == state.NATIVE else _find_compose(settings, required=mode is not None)
        )
        if compose is not None:
            try:
                return DockerStack(settings, compose).run()
            except ImagesMissing as missing:
                if mode is not None:
                    raise
                print_message(f"{missing} Running natively instead.")
                raise_on_signals()
        return NativeStack(settings, store).run()


def _find_compose(settings: Settings, *, required: bool) -> Compose | None:
    try:
        return engine.find_compose(settings.root)
    except StackError as error:
        if required:
            raise
        print_message(f"{error} Running natively.")
        return None
