"""Becomes the command given: `python -m stack.supervision.launcher <folder> <name> -- command …`.

Before that the process writes its own record, so there is no moment at which it runs unrecorded,
and asks the kernel to be stopped when its parent dies, however the parent dies (Linux only).
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

from stack.supervision.parent_death import die_with_parent
from stack.supervision.records import make_record, write_record


def main(arguments: list[str]) -> None:
    """Does not return."""
    folder, name, separator, *command = arguments
    if separator != "--" or not command:
        raise SystemExit("usage: python -m stack.supervision.launcher <folder> <name> -- command …")
    die_with_parent()
    write_record(Path(folder), make_record(name, os.getpid()))
    try:
        os.execvp(command[0], command)
    except OSError as error:
        raise SystemExit(f"{command[0]} cannot be started: {error.strerror}") from None


if __name__ == "__main__":
    main(sys.argv[1:])
