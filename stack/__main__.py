"""The command line: `python -m stack up|stop|status|build|clean`."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from .errors import StackError

ROOT = Path(__file__).resolve().parents[1]


def main(arguments: Sequence[str] | None = None) -> int:
    """Exit code: 0 fine, 1 an error (told on stderr), 2 wrong usage, 3 `status`: not running."""
    if sys.platform == "win32":
        print("Windows runs this in WSL2 or with Docker: gunicorn needs Unix.", file=sys.stderr)
        return 1
    asked = _parser().parse_args(arguments)
    run: Callable[[argparse.Namespace], int] = asked.run
    try:
        return run(asked)
    except StackError as error:
        print(f"error: {error}", file=sys.stderr)
        return error.exit_code
    except KeyboardInterrupt:
        return 130


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m stack", description=__doc__)
    words = parser.add_subparsers(required=True, metavar="word")
    up = words.add_parser("up", help="start everything and show it until Ctrl-C")
    way = up.add_mutually_exclusive_group()
    way.add_argument(
        "--native",
        dest="mode",
        action="store_const",
        const="native",
        help="as local processes, even where there is Docker",
    )
    way.add_argument(
        "--docker",
        dest="mode",
        action="store_const",
        const="docker",
        help="with docker compose, or not at all",
    )
    up.set_defaults(run=_up)
    words.add_parser("stop", help="end what runs").set_defaults(run=_stop)
    words.add_parser("status", help="what runs, where, and its figures").set_defaults(run=_status)
    words.add_parser("build", help="build the Go programs into .tools/bin").set_defaults(run=_build)
    words.add_parser("clean", help="remove data and logs").set_defaults(run=_clean)
    inner = words.add_parser("supervise")
    inner.add_argument("names", nargs="+")
    inner.set_defaults(run=_supervise)
    return parser


def _up(asked: argparse.Namespace) -> int:
    from .interruption import Interrupted
    from .settings import read_settings
    from .up import up

    try:
        return up(read_settings(ROOT, os.environ), asked.mode)
    except Interrupted as interrupted:
        print("\nInterrupted; the next start goes on from here.", file=sys.stderr)
        return interrupted.exit_code


def _stop(asked: argparse.Namespace) -> int:
    from .manage import stop_running
    from .settings import read_settings

    return stop_running(read_settings(ROOT, os.environ))


def _status(asked: argparse.Namespace) -> int:
    from .manage import show_status
    from .settings import read_settings

    return show_status(read_settings(ROOT, os.environ))


def _clean(asked: argparse.Namespace) -> int:
    from .manage import clean
    from .settings import read_settings

    return clean(read_settings(ROOT, os.environ))


def _build(asked: argparse.Namespace) -> int:
    from . import build
    from .commands import Commands
    from .progress import Board

    tools = ROOT / (os.environ.get("STACK_TOOLS_DIR") or ".tools/bin")
    commands = Commands()
    try:
        with Board() as board:
            build.ensure(ROOT, list(build.programs(ROOT)), tools, board, commands)
    except KeyboardInterrupt:
        commands.cancel()
        print("Interrupted; the next build goes on from here.", file=sys.stderr)
        return 130
    return 0


def _supervise(asked: argparse.Namespace) -> int:
    from .supervisor import supervise

    return supervise(ROOT, ROOT / ".run", ROOT / "logs", asked.names)


if __name__ == "__main__":
    sys.exit(main())
