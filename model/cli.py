"""`python -m model`: from the arguments to a command and its exit code."""

from __future__ import annotations

import sys
from argparse import Namespace
from collections.abc import Callable, Sequence
from typing import Final

from model import commands
from model.arguments import build_parser
from model.serving.errors import ModelError

COMMANDS: Final[dict[str, Callable[[Namespace], int | None]]] = {
    "data": commands.run_data,
    "train": commands.run_train,
    "evaluate": commands.run_evaluate,
    "import": commands.run_import,
    "report": commands.run_report,
    "show": commands.run_show,
    "list": commands.run_list,
    "compare": commands.run_compare,
    "promote": commands.run_promote,
    "rollback": commands.run_rollback,
    "prune": commands.run_prune,
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Exit code: 0 done, 1 could not be done (one sentence on standard error), 2 wrong usage;
    of `promote --if-better` also 3 for keep and 4 for not enough labels yet."""
    options = build_parser().parse_args(arguments)
    try:
        return COMMANDS[options.command](options) or 0
    except ModelError as error:
        print(f"model: {error}", file=sys.stderr)
        return 1
