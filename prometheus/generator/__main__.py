"""The command line of `python -m prometheus`."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from prometheus.generator import generate


def main(arguments: list[str] | None = None) -> int:
    """Run one command; 0 fine, 1 a file is not current, 2 the intent cannot be read."""
    options = parser().parse_args(arguments)
    try:
        result: int = options.run(options)
    except ValueError as error:
        print(f"prometheus: {error}", file=sys.stderr)
        return 2
    return result


def parser() -> argparse.ArgumentParser:
    """All commands with their options."""
    root = argparse.ArgumentParser(
        prog="python -m prometheus",
        description="Recording rules and alerts, generated from slo.yml, thresholds.yml and code.",
    )
    commands = root.add_subparsers(required=True, metavar="COMMAND")
    command = commands.add_parser(
        "generate", help="write the rule files, and what else follows from the alerts"
    )
    command.add_argument(
        "--scale",
        metavar="N",
        type=_parse_positive,
        default=1,
        help="compress time: every window, interval and wait is N times shorter (default 1)",
    )
    command.add_argument(
        "--out",
        metavar="DIR",
        type=Path,
        default=generate.FOLDER,
        help="where to write (default prometheus/rules)",
    )
    command.set_defaults(run=_generate)
    command = commands.add_parser("check", help="fail if a generated file is not current")
    command.set_defaults(run=_check)
    return root


def _parse_positive(text: str) -> int:
    if not text.isdigit() or int(text) == 0:
        raise argparse.ArgumentTypeError(f"must be a whole number from 1 on, got {text!r}")
    return int(text)


def _generate(options: argparse.Namespace) -> int:
    if options.scale != 1 and options.out.resolve() == generate.FOLDER:
        raise ValueError("--scale needs --out: prometheus/rules holds the rules of real time")
    written = generate.write(options.out, options.scale)
    if options.out.resolve() == generate.FOLDER:
        written += generate.write_derived()
    for path in written:
        print(f"wrote {path}")
    return 0


def _check(_: argparse.Namespace) -> int:
    outdated = [*generate.find_outdated(), *generate.find_outdated_derived()]
    for path in outdated:
        print(f"{path} is not current: run `python -m prometheus generate`")
    return 1 if outdated else 0


if __name__ == "__main__":
    sys.exit(main())
