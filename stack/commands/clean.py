"""`clean`: removes data and logs."""

from __future__ import annotations

import shutil

from stack import state
from stack.errors import StackError
from stack.settings import Settings


def clean(settings: Settings) -> int:
    """Removes the data and logs of the native stack; refuses while it runs."""
    if state.is_locked(settings.run):
        raise StackError("The stack is running; end it first with `./start_mlops.sh stop`.")
    for folder in (settings.run, settings.logs):
        shutil.rmtree(folder, ignore_errors=True)
    print("Removed .run/ and logs/; environments, programs and models are kept.")
    return 0
