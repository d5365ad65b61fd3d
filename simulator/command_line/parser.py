"""The options of the command line, each with its default and its meaning, by groups."""

from __future__ import annotations

from argparse import ArgumentParser, RawDescriptionHelpFormatter, _ArgumentGroup
from pathlib import Path
from typing import Final

from simulator.command_line.environment import DEFAULT_TARGET
from simulator.command_line.help_text import DESCRIPTION, format_epilog
from simulator.command_line.value_types import (
    parse_integer,
    parse_non_negative,
    parse_positive,
    parse_rows,
    parse_share,
)
from simulator.contract.vocabulary import STEADY
from simulator.traffic.scenarios import NAMES

DEFAULT_FAULTY: Final = 0.02


def build_parser() -> ArgumentParser:
    """Declares the options; what they need of each other is checked by `read_options`."""
    parser = ArgumentParser(
        prog="python -m simulator",
        description=DESCRIPTION,
        epilog=format_epilog(),
        formatter_class=RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    # Not from the environment here: its value must be checked, and named, in one place.
    parser.add_argument(
        "--url", metavar="URL", help=f"the service's address (default {DEFAULT_TARGET})"
    )
    _add_load(parser.add_argument_group("load"))
    _add_scenarios(parser.add_argument_group("scenario"))
    _add_labels(parser.add_argument_group("delayed labels (feedback)"))
    _add_replay(parser.add_argument_group("replay of a file"))
    _add_connection(parser.add_argument_group("connection"))
    _add_output(parser.add_argument_group("output"))
    return parser


def _add_load(group: _ArgumentGroup) -> None:
    group.add_argument(
        "--rate",
        type=parse_positive,
        metavar="R",
        help="R requests a second, a Poisson process (default: one user's pauses of 1 to 5 s)",
    )
    group.add_argument("--count", type=parse_integer(1), metavar="N", help="end after N requests")
    group.add_argument(
        "--duration", type=parse_positive, metavar="SECONDS", help="end after this time"
    )
    group.add_argument(
        "--seed", type=parse_integer(0), help="which requests (default: others each time)"
    )
    group.add_argument(
        "--faulty",
        type=parse_share,
        metavar="SHARE",
        help=f"share of faulty requests (default {DEFAULT_FAULTY}, 0 in a replay)",
    )
    group.add_argument(
        "--large-body",
        type=parse_integer(1),
        default=300_000,
        metavar="BYTES",
        help="size of a too large request; above the target's MAX_BODY_BYTES (default 300000)",
    )


def _add_scenarios(group: _ArgumentGroup) -> None:
    group.add_argument(
        "--scenario", choices=NAMES, default=STEADY, metavar="NAME", help="see below (steady)"
    )
    group.add_argument(
        "--scenario-after",
        type=parse_non_negative,
        default=0.0,
        metavar="SECONDS",
        help="steady traffic before it (default 0)",
    )
    group.add_argument(
        "--scenario-for",
        type=parse_positive,
        metavar="SECONDS",
        help="how long it lasts (default: to the end)",
    )


def _add_labels(group: _ArgumentGroup) -> None:
    group.add_argument(
        "--labels-after",
        type=parse_non_negative,
        metavar="SECONDS",
        help="mean delay of a label after its prediction, evenly from half to one and a half of it"
        " (default: no labels)",
    )
    group.add_argument(
        "--labels",
        type=parse_share,
        metavar="SHARE",
        help="share of the predictions that get a label (default 1)",
    )
    group.add_argument(
        "--labels-wait",
        type=parse_non_negative,
        default=30.0,
        metavar="SECONDS",
        help="how long to wait for labels at the end of the run (default 30)",
    )


def _add_replay(group: _ArgumentGroup) -> None:
    group.add_argument(
        "--replay",
        type=Path,
        metavar="FILE",
        help="send its rows in their order: CSV, CSV.gz or Parquet with a column for each feature",
    )
    group.add_argument(
        "--target",
        metavar="COLUMN",
        help="its true classes, 1 or fraud, 0 or legitimate; the delay of a label is --labels-after"
        " (default 0)",
    )
    group.add_argument(
        "--time",
        metavar="COLUMN",
        help="its times, in seconds or ISO dates (default: as --rate says)",
    )
    group.add_argument(
        "--speed",
        type=parse_positive,
        metavar="N",
        help="N times as fast as --time says; delays of labels stay as they are (default 1)",
    )
    group.add_argument(
        "--rows",
        type=parse_rows,
        metavar="A:B",
        help="only rows from A up to before B, the first is 0",
    )


def _add_connection(group: _ArgumentGroup) -> None:
    group.add_argument(
        "--timeout",
        type=parse_positive,
        default=10.0,
        metavar="SECONDS",
        help="a request without an answer is given up after this (default 10)",
    )
    group.add_argument(
        "--max-in-flight",
        type=parse_integer(1),
        default=1000,
        metavar="N",
        help="with N requests in flight, further ones are not sent (default 1000)",
    )
    group.add_argument(
        "--wait-for-target",
        type=parse_non_negative,
        default=0.0,
        metavar="SECONDS",
        help="how long to wait for a target that does not answer yet (default 0)",
    )


def _add_output(group: _ArgumentGroup) -> None:
    group.add_argument("--json", action="store_true", help="the summary as JSON, with every count")
    group.add_argument(
        "--summary", type=Path, metavar="FILE", help="append the summary to FILE as Markdown"
    )
    group.add_argument("--quiet", action="store_true", help="no progress, only the summary")
    group.add_argument(
        "--max-failed",
        type=parse_share,
        default=0.1,
        metavar="SHARE",
        help="exit with 3 where more than this share failed (default 0.1)",
    )
