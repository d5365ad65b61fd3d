"""The words of `python -m grafana`."""

from __future__ import annotations

import argparse
import sys

from grafana import commands
from grafana.http import Problem


def main(arguments: list[str] | None = None) -> int:
    """Run one word; 0 fine, 1 found something wrong, 2 could not do it."""
    options = parser().parse_args(arguments)
    try:
        result: int = options.run(options)
    except Problem as problem:
        print(f"grafana: {problem}", file=sys.stderr)
        return 2
    return result


def parser() -> argparse.ArgumentParser:
    """All words with their options."""
    words_of = argparse.ArgumentParser(
        prog="python -m grafana",
        description="Dashboards as code: generated from grafana/panels/, checked, uploaded.",
    )
    words = words_of.add_subparsers(required=True, metavar="WORD")
    commands.add_to(words)
    return words_of


if __name__ == "__main__":
    sys.exit(main())
