"""`python -m model`: from the arguments to a command and its exit code."""

from __future__ import annotations

import sys
from argparse import Namespace
from collections.abc import Callable, Sequence
from typing import Final

from model import commands
from model.arguments import parser
from model.serving.errors import ModelError

COMMANDS: Final[dict[str, Callable[[Namespace], int | None]]] = {
    "data": commands.data_command,
    "train": commands.train_command,
    "evaluate": commands.evaluate_command,
    "import": commands.import_command,
    "show": commands.show_command,
    "list": commands.list_command,
    "compare": commands.compare_command,
    "promote": commands.promote_command,
    "rollback": commands.rollback_command,
    "prune": commands.prune_command,
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Exit code: 0 done, 1 could not be done (one sentence on standard error), 2 wrong usage;
    of `promote --if-better` also 3 for keep and 4 for not enough labels yet."""
    options = parser().parse_args(arguments)
    try:
        return COMMANDS[options.command](options) or 0
    except ModelError as error:
        print(f"model: {error}", file=sys.stderr)
        return 1
