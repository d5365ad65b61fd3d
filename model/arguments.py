"""The commands and options of `python -m model`."""

from __future__ import annotations

import argparse
import os
from pathlib import Path
from typing import Final

from model.argument_types import (
    parse_candidates,
    parse_count,
    parse_duration,
    parse_holdout,
    parse_moment,
    parse_positive,
    parse_separator,
    parse_share,
)
from model.data.dataset import MOST_CATEGORIES
from model.data.split import Holdout
from model.training.candidate_names import CANDIDATE_NAMES, SYNTHETIC_CANDIDATES

DEFAULT_ROWS: Final = 200_000
DEFAULT_SEED: Final = 1
# Rows for an evaluation must be others than those that were trained on.
EVALUATION_SEED: Final = 1_000_001

_Commands = argparse._SubParsersAction


def build_parser() -> argparse.ArgumentParser:
    """The parser; the chosen command's name is in `command`."""
    main = argparse.ArgumentParser(
        prog="python -m model",
        description="Train, judge and manage fraud models. COMMAND --help tells the rest.",
    )
    commands = main.add_subparsers(required=True, metavar="COMMAND", dest="command")
    _add_data(commands)
    _add_train(commands)
    _add_evaluate(commands)
    _add_show(commands)
    _add_registry_commands(commands)
    _add_import(commands)
    return main


def _add_data(commands: _Commands[argparse.ArgumentParser]) -> None:
    command = _add_command(
        commands, "data", "write synthetic transactions to a CSV or Parquet file"
    )
    command.add_argument("--out", type=Path, required=True, help="file: .csv, .csv.gz, .parquet")
    _add_synthetic(command, DEFAULT_SEED)
    command.add_argument(
        "--fraud-rate", type=parse_share, default=0.03, help="expected share of frauds, 0 to 1"
    )
    command.add_argument(
        "--scenario",
        choices=("steady", "drift", "concept", "burst"),
        default="steady",
        help="what changes after half of the time (see model/data/synthetic.py)",
    )
    command.add_argument(
        "--probability", action="store_true", help="add the true fraud_probability as a column"
    )


def _add_train(commands: _Commands[argparse.ArgumentParser]) -> None:
    command = _add_command(commands, "train", "train a model and publish it as the new champion")
    _add_registry(command)
    _add_synthetic(command, DEFAULT_SEED)
    _add_table(command)
    _add_reading(command)
    table = command.add_argument_group("how a file's rows are split")
    table.add_argument(
        "--label-delay",
        type=parse_duration,
        default=0.0,
        metavar="TIME",
        help="labels come this late (7d, 12h, 90s): such rows before the holdout are left out",
    )
    table.add_argument(
        "--holdout",
        type=parse_holdout,
        default=Holdout(),
        metavar="SHARE|TIME",
        help="the last share of the rows, or the last time (7d); default 0.2",
    )
    command.add_argument(
        "--refit",
        action="store_true",
        help="after judging fit the chosen model once more, to all rows: it has seen the freshest"
        " ones, and no row is left to judge it; default: what was judged is served",
    )
    command.add_argument(
        "--candidates",
        type=parse_candidates,
        default=None,
        metavar="NAME,NAME",
        help=f"of {','.join(CANDIDATE_NAMES)}; default all for a file,"
        f" {','.join(SYNTHETIC_CANDIDATES)} for synthetic rows",
    )
    _add_rules(command)
    _add_keep(command)


def _add_evaluate(commands: _Commands[argparse.ArgumentParser]) -> None:
    command = _add_command(commands, "evaluate", "judge a published model on rows it has not seen")
    _add_registry(command)
    command.add_argument("--version", help="default: the champion")
    _add_allow_joblib(command, "load a version that is kept as joblib")
    _add_synthetic(command, EVALUATION_SEED)
    _add_table(command)
    _add_writing(command)
    command.add_argument("--json", action="store_true", help="print one JSON object")


def _add_show(commands: _Commands[argparse.ArgumentParser]) -> None:
    command = _add_command(commands, "show", "print a published model's card")
    _add_registry(command)
    command.add_argument("--version", help="default: the champion")
    command.add_argument("--json", action="store_true", help="print card.json as it is")


def _add_registry_commands(commands: _Commands[argparse.ArgumentParser]) -> None:
    _add_registry(_add_command(commands, "list", "list the published versions"))
    compare = _add_command(commands, "compare", "print what differs between two versions")
    compare.add_argument("first", metavar="A")
    compare.add_argument("second", metavar="B")
    promote = _add_command(commands, "promote", "make a version the champion, which is served")
    promote.add_argument("version", metavar="VERSION", nargs="?")
    _add_allow_joblib(promote, "also a version that is kept as joblib")
    _add_if_better(promote)
    rollback = _add_command(
        commands, "rollback", "make the champion before this one champion again"
    )
    prune = _add_command(commands, "prune", "remove old versions, never the last two champions")
    _add_keep(prune)
    for command in (compare, promote, rollback, prune):
        _add_registry(command)


def _add_if_better(promote: argparse.ArgumentParser) -> None:
    group = promote.add_argument_group(
        "promote a challenger only if labelled outcomes say that it is better",
        "Exit code 0: it is better, and promoted; 3: it is worse, keep the champion; 4: not enough"
        " labels yet. It may be asked again and again: a challenger that is not better is ever"
        " promoted with a probability of at most alpha. PROMETHEUS_TOKEN is sent as bearer token,"
        " with PROMETHEUS_USER beside it as basic auth.",
    )
    group.add_argument("--if-better", action="store_true", help="VERSION: default CHALLENGER")
    group.add_argument(
        "--prometheus",
        metavar="URL",
        default=os.environ.get("PROMETHEUS_URL"),
        help="where the outcomes are; default PROMETHEUS_URL",
    )
    group.add_argument("--job", default="fraud-handler", help="default fraud-handler")
    group.add_argument("--alpha", type=parse_share, default=0.05, help="default 0.05")
    group.add_argument(
        "--cost-ratio",
        type=parse_positive,
        metavar="N",
        help="a missed fraud costs N false alarms; default: as the champion's threshold was chosen,"
        " else 1",
    )
    group.add_argument(
        "--since",
        type=parse_moment,
        metavar="DATE",
        help="outcomes from then on, such as 2026-11-01 or 2026-11-01T12:00 (UTC), which must stay"
        " the same at every look; default: since the challenger was trained",
    )
    group.add_argument("--dry-run", action="store_true", help="decide and tell, change nothing")
    group.add_argument("--json", action="store_true", help="print one JSON object")


def _add_import(commands: _Commands[argparse.ArgumentParser]) -> None:
    command = _add_command(
        commands,
        "import",
        "publish a fitted scikit-learn model made elsewhere. Loading a joblib file runs what its"
        " maker put into it: import only files that you trust",
    )
    command.add_argument("model", type=Path, metavar="MODEL.joblib")
    command.add_argument("--scaler", type=Path, metavar="SCALER.joblib", help="applied before it")
    _add_registry(command)
    command.add_argument("--data", type=Path, metavar="FILE", required=True, help="a sample")
    command.add_argument(
        "--target", metavar="COLUMN", required=True, help="its labels: 1 is fraud, 0 is not"
    )
    _add_reading(command)
    _add_allow_joblib(
        command,
        "publish also what cannot be converted to ONNX: it is served from joblib, only where"
        " ALLOW_JOBLIB=true",
    )
    command.add_argument("--seed", type=int, default=DEFAULT_SEED, help="of the bootstrap")
    command.add_argument(
        "--time-limit",
        type=parse_duration,
        default=300.0,
        metavar="TIME",
        help="for each run of the model's own code and of a converter; default 5m",
    )
    _add_rules(command)
    _add_keep(command)


def _add_allow_joblib(command: argparse.ArgumentParser, purpose: str) -> None:
    command.add_argument(
        "--allow-joblib",
        action="store_true",
        default=os.environ.get("ALLOW_JOBLIB") == "true",
        help=f"{purpose}; loading joblib runs whatever is in the file; default: ALLOW_JOBLIB",
    )


def _add_keep(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--keep",
        type=parse_count,
        default=10,
        metavar="N",
        help="newest versions to keep, default 10",
    )


def _add_writing(command: argparse.ArgumentParser) -> None:
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


def _add_reading(command: argparse.ArgumentParser) -> None:
    _add_writing(command)
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


def _add_rules(command: argparse.ArgumentParser) -> None:
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


def _add_registry(command: argparse.ArgumentParser) -> None:
    default = Path(os.environ.get("MODEL_DIR") or "models")
    command.add_argument(
        "--models",
        type=Path,
        default=default,
        metavar="FOLDER",
        help="folder of published models; default MODEL_DIR or models",
    )


def _add_synthetic(command: argparse.ArgumentParser, seed: int) -> None:
    command.add_argument(
        "--rows",
        type=parse_count,
        default=DEFAULT_ROWS,
        help=f"synthetic rows, default {DEFAULT_ROWS}",
    )
    command.add_argument("--seed", type=int, default=seed, help=f"default {seed}")


def _add_table(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--data", type=Path, metavar="FILE", help="CSV or Parquet; else synthetic rows"
    )
    command.add_argument(
        "--target", metavar="COLUMN", help="the file's labels: 1 is fraud, 0 is not"
    )


def _add_command(
    commands: _Commands[argparse.ArgumentParser], name: str, meaning: str
) -> argparse.ArgumentParser:
    return commands.add_parser(
        name, help=meaning, description=meaning[0].upper() + meaning[1:] + "."
    )
