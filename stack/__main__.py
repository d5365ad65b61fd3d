"""The command line: `python -m stack up|stop|status|traces|build|clean`."""

from __future__ import annotations

import argparse
import os
import signal
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from stack.errors import StackError
from stack.settings import PROMETHEUS, STORES

ROOT = Path(__file__).resolve().parents[1]


def main(arguments: Sequence[str] | None = None) -> int:
    """Exit code: 0 fine, 1 an error (printed on stderr), 2 wrong usage, 3 `status`: not running."""
    if sys.platform == "win32":
        print("Windows runs this in WSL2 or with Docker: gunicorn needs Unix.", file=sys.stderr)
        return 1
    options = _parser().parse_args(arguments)
    run: Callable[[argparse.Namespace], int] = options.run
    try:
        code = run(options)
        sys.stdout.flush()
        return code
    except BrokenPipeError:
        # As `traces | head` ends: nobody reads on. What Python flushes at its end goes nowhere.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 128 + signal.SIGPIPE
    except StackError as error:
        print(f"error: {error}", file=sys.stderr)
        return error.exit_code
    except KeyboardInterrupt:
        return 130


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m stack", description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    _add_up(commands)
    commands.add_parser("stop", help="end what runs").set_defaults(run=_stop)
    commands.add_parser("status", help="what runs, where, and its key metrics").set_defaults(
        run=_status
    )
    traces = commands.add_parser("traces", help="the last kept traces, or one as a waterfall")
    traces.add_argument("id", nargs="?", help="a trace's id, or its beginning")
    traces.set_defaults(run=_traces)
    build = commands.add_parser("build", help="build the Go programs into .tools/bin")
    build.add_argument(
        "names", nargs="*", metavar="PROGRAM", help="only these; `cortex` is built no other way"
    )
    build.set_defaults(run=_build)
    commands.add_parser("clean", help="remove data and logs").set_defaults(run=_clean)
    inner = commands.add_parser("supervise")
    inner.add_argument("names", nargs="+")
    inner.set_defaults(run=_supervise)
    return parser


def _add_up(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    up = commands.add_parser("up", help="start everything and show it until Ctrl-C")
    mode = up.add_mutually_exclusive_group()
    mode.add_argument(
        "--native",
        dest="mode",
        action="store_const",
        const="native",
        help="as local processes, even where there is Docker",
    )
    mode.add_argument(
        "--docker",
        dest="mode",
        action="store_const",
        const="docker",
        help="with docker compose, or not at all",
    )
    up.add_argument(
        "--store",
        choices=STORES,
        default=PROMETHEUS,
        help="with --native: what keeps the metrics; cortex is three nodes of it",
    )
    up.set_defaults(run=_up)


def _up(options: argparse.Namespace) -> int:
    from stack.commands.up import up
    from stack.settings import read_settings
    from stack.signals import Interrupted

    try:
        return up(read_settings(ROOT, os.environ), options.mode, options.store)
    except Interrupted as interrupted:
        print("\nInterrupted; the next start goes on from here.", file=sys.stderr)
        return interrupted.exit_code


def _stop(options: argparse.Namespace) -> int:
    from stack.commands.stop import stop
    from stack.settings import read_settings

    return stop(read_settings(ROOT, os.environ))


def _status(options: argparse.Namespace) -> int:
    from stack.commands.status import show_status
    from stack.settings import read_settings

    return show_status(read_settings(ROOT, os.environ))


def _traces(options: argparse.Namespace) -> int:
    from stack.commands.traces import show_traces
    from stack.settings import read_settings

    return show_traces(read_settings(ROOT, os.environ), options.id)


def _clean(options: argparse.Namespace) -> int:
    from stack.commands.clean import clean
    from stack.settings import read_settings

    return clean(read_settings(ROOT, os.environ))


def _build(options: argparse.Namespace) -> int:
    from stack import build
    from stack.progress import ProgressDisplay
    from stack.subprocesses import SubprocessRunner

    tools = ROOT / (os.environ.get("STACK_TOOLS_DIR") or ".tools/bin")
    runner = SubprocessRunner()
    try:
        with ProgressDisplay() as display:
            names = build.choose_programs(ROOT, options.names)
            build.ensure(ROOT, names, tools, display, runner)
    except KeyboardInterrupt:
        runner.cancel()
        print("Interrupted; the next build goes on from here.", file=sys.stderr)
        return 130
    return 0


def _supervise(options: argparse.Namespace) -> int:
    from stack.supervision.supervisor import supervise

    return supervise(ROOT, ROOT / ".run", ROOT / "logs", options.names)


if __name__ == "__main__":
    sys.exit(main())
