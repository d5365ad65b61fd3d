"""Options that several commands of `python -m model` share."""

from __future__ import annotations

import argparse
import os
from pathlib import Path
from typing import Final

from model.argument_types import parse_count, parse_positive, parse_separator, parse_share
from model.data.dataset import MOST_CATEGORIES

DEFAULT_ROWS: Final = 200_000
DEFAULT_SEED: Final = 1


def add_allow_joblib(command: argparse.ArgumentParser, purpose: str) -> None:
    """--allow-joblib."""
    command.add_argument(
        "--allow-joblib",
        action="store_true",
        default=os.environ.get("ALLOW_JOBLIB") == "true",
        help=f"{purpose}; loading joblib runs whatever is in the file; default: ALLOW_JOBLIB",
    )


def add_keep(command: argparse.ArgumentParser) -> None:
    """--keep."""
    command.add_argument(
        "--keep",
        type=parse_count,
        default=10,
        metavar="N",
        help="newest versions to keep, default 10",
    )


def add_writing(command: argparse.ArgumentParser) -> None:
    """How a file is written, and what its labels are."""
    file = command.add_argument_group("how a CSV file is written")
    file.add_argument(
        "--separator",
        type=parse_separator,
        default=",",
        metavar="MARK",
        help="';', tab; default ','",
    )
    file.add_argument("--encoding", default="utf-8", help="such as latin-1, utf-16; default utf-8")
    file.add_argument("--decimal", default=".", metavar="MARK", help="',' in 12,5; default '.'")
    file.add_argument("--thousands", metavar="MARK", help="',' in 1,000")
    file.add_argument(
        "--unit",
        nargs="+",
        action="extend",
        default=[],
        metavar="TEXT",
        help="'$' in $12: taken off",
    )
    file.add_argument(
        "--missing",
        nargs="*",
        action="extend",
        metavar="WORD",
        help="texts that mean missing, beside an empty field; default NA, None, null, NaN …",
    )
    file.add_argument("--positive", metavar="LABEL", help="the label of fraud; default 1")


def add_reading(command: argparse.ArgumentParser) -> None:
    """How a file becomes a dataset."""
    add_writing(command)
    table = command.add_argument_group("how a file is read")
    table.add_argument("--time", metavar="COLUMN", help="seconds or dates; else the rows' order")
    table.add_argument(
        "--drop", metavar="COLUMN", nargs="+", action="extend", default=[], help="not features"
    )
    table.add_argument("--value", metavar="COLUMN", help="the transaction's value; else 'amount'")
    table.add_argument(
        "--time-format",
        metavar="FORMAT",
        help="how dates are written, such as %%d/%%m/%%Y, or the unit of numbers: s, ms, us, ns;"
        " default ISO 8601 dates and seconds",
    )
    table.add_argument(
        "--text",
        metavar="COLUMN",
        nargs="+",
        action="extend",
        default=[],
        help="its texts are names, even where they look like numbers",
    )
    table.add_argument(
        "--most-categories",
        type=parse_count,
        default=MOST_CATEGORIES,
        metavar="N",
        help=f"different texts that a category may have, default {MOST_CATEGORIES}",
    )


def add_rules(command: argparse.ArgumentParser) -> None:
    """The rule that the threshold is chosen by."""
    group = command.add_argument_group("the threshold's rule").add_mutually_exclusive_group()
    group.add_argument(
        "--cost-ratio",
        type=parse_positive,
        metavar="N",
        help="least cost, a missed fraud costing N false alarms (the default, N = 3)",
    )
    group.add_argument(
        "--precision", type=parse_share, metavar="P", help="most frauds found at this precision"
    )
    group.add_argument(
        "--alert-rate",
        type=parse_share,
        metavar="R",
        help="most frauds found with this share alarmed",
    )


def add_registry(command: argparse.ArgumentParser) -> None:
    """--models."""
    default = Path(os.environ.get("MODEL_DIR") or "models")
    command.add_argument(
        "--models",
        type=Path,
        default=default,
        metavar="FOLDER",
        help="folder of published models; default MODEL_DIR or models",
    )


def add_synthetic(command: argparse.ArgumentParser, seed: int) -> None:
    """How many synthetic rows, and their seed."""
    command.add_argument(
        "--rows",
        type=parse_count,
        default=DEFAULT_ROWS,
        help=f"synthetic rows, default {DEFAULT_ROWS}",
    )
    command.add_argument("--seed", type=int, default=seed, help=f"default {seed}")


def add_table(command: argparse.ArgumentParser) -> None:
    """The file and its labels."""
    command.add_argument(
        "--data", type=Path, metavar="FILE", help="CSV or Parquet; else synthetic rows"
    )
    command.add_argument(
        "--target", metavar="COLUMN", help="the file's labels: 1 is fraud, 0 is not"
    )
