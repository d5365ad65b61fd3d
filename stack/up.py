"""`up`: the best way that the machine has, docker compose or local processes."""

from __future__ import annotations

import os

from . import alerting, engine, native, state
from .containers import Containers, ImagesMissing
from .engine import Compose
from .errors import StackError
from .interruption import raise_on_signals
from .local import Processes
from .screen import say
from .settings import Settings


def up(settings: Settings, mode: str | None) -> int:
    """Runs the stack until a signal; `mode` is docker, native or None for the best there is."""
    raise_on_signals()
    alerting.check(settings, os.environ)
    with state.hold(settings.run):
        native.stop_left_over(settings, say)
        compose = None if mode == state.NATIVE else _compose(settings, required=mode is not None)
        if compose is not None:
            try:
                return Containers(settings, compose).run()
            except ImagesMissing as missing:
                if mode is not None:
                    raise
                say(f"{missing} Running natively instead.")
                raise_on_signals()
        return Processes(settings).run()


def _compose(settings: Settings, *, required: bool) -> Compose | None:
    try:
        return engine.find(settings.root)
    except StackError as error:
        if required:
            raise
        say(f"{error} Running natively.")
        return None
