"""The commands and options of `python -m model`."""

from __future__ import annotations

import argparse
import os
from pathlib import Path
from typing import Final

from model.argument_groups import (
    DEFAULT_SEED,
    add_allow_joblib,
    add_keep,
    add_reading,
    add_registry,
    add_rules,
    add_synthetic,
    add_table,
    add_writing,
)
from model.argument_types import (
    parse_candidates,
    parse_duration,
    parse_holdout,
    parse_moment,
    parse_positive,
    parse_share,
)
from model.data.scenarios import SCENARIOS
from model.data.split import Holdout
from model.training.candidate_names import CANDIDATE_NAMES, SYNTHETIC_CANDIDATES

# Rows for an evaluation must be others than those that were trained on.
EVALUATION_SEED: Final = 1_000_001

_Commands = argparse._SubParsersAction


def build_parser() -> argparse.ArgumentParser:
    """The parser; the chosen command's name is in `command`."""
    main = argparse.ArgumentParser(
        prog="python -m model",
        description="Train, judge and manage fraud models. COMMAND --help lists its options.",
    )
    commands = main.add_subparsers(required=True, metavar="COMMAND", dest="command")
    _add_data(commands)
    _add_train(commands)
    _add_evaluate(commands)
    _add_report(commands)
    _add_show(commands)
    _add_registry_commands(commands)
    _add_import(commands)
    return main


def _add_data(commands: _Commands[argparse.ArgumentParser]) -> None:
    command = _add_command(
        commands, "data", "write synthetic transactions to a CSV or Parquet file"
    )
    command.add_argument("--out", type=Path, required=True, help="file: .csv, .csv.gz, .parquet")
    add_synthetic(command, DEFAULT_SEED)
    command.add_argument(
        "--fraud-rate", type=parse_share, default=0.03, help="expected share of frauds, 0 to 1"
    )
    command.add_argument(
        "--scenario",
        choices=SCENARIOS,
        default="steady",
        help="what changes after half of the time (see model/data/synthetic.py)",
    )
    command.add_argument(
        "--probability", action="store_true", help="add the true fraud_probability as a column"
    )


def _add_train(commands: _Commands[argparse.ArgumentParser]) -> None:
    command = _add_command(commands, "train", "train a model and publish it as the new champion")
    add_registry(command)
    add_synthetic(command, DEFAULT_SEED)
    add_table(command)
    add_reading(command)
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
    add_rules(command)
    add_keep(command)


def _add_evaluate(commands: _Commands[argparse.ArgumentParser]) -> None:
    command = _add_command(commands, "evaluate", "judge a published model on rows it has not seen")
    add_registry(command)
    command.add_argument("--version", help="default: the champion")
    add_allow_joblib(command, "load a version that is kept as joblib")
    add_synthetic(command, EVALUATION_SEED)
    add_table(command)
    add_writing(command)
    command.add_argument("--json", action="store_true", help="print one JSON object")


def _add_report(commands: _Commands[argparse.ArgumentParser]) -> None:
    command = _add_command(
        commands, "report", "write a version's curves, figures and drift to one HTML file"
    )
    add_registry(command)
    command.add_argument("version", metavar="VERSION", nargs="?", help="default: the champion")
    command.add_argument(
        "--out", type=Path, metavar="FILE.html", help="default report-VERSION.html"
    )
    command.add_argument(
        "--against", type=Path, metavar="FILE", help="CSV or Parquet: how far its rows have moved"
    )
    command.add_argument(
        "--json", action="store_true", help="also write the same as JSON beside it"
    )
    add_allow_joblib(command, "score the rows by a version that is kept as joblib")
    add_writing(command)


def _add_show(commands: _Commands[argparse.ArgumentParser]) -> None:
    command = _add_command(commands, "show", "print a published model's card")
    add_registry(command)
    command.add_argument("--version", help="default: the champion")
    command.add_argument("--json", action="store_true", help="print card.json as it is")


def _add_registry_commands(commands: _Commands[argparse.ArgumentParser]) -> None:
    add_registry(_add_command(commands, "list", "list the published versions"))
    compare = _add_command(commands, "compare", "print what differs between two versions")
    compare.add_argument("first", metavar="A")
    compare.add_argument("second", metavar="B")
    promote = _add_command(commands, "promote", "make a version the champion, which is served")
    promote.add_argument("version", metavar="VERSION", nargs="?")
    add_allow_joblib(promote, "also a version that is kept as joblib")
    _add_if_better(promote)
    rollback = _add_command(
        commands, "rollback", "make the champion before this one champion again"
    )
    prune = _add_command(commands, "prune", "remove old versions, never the last two champions")
    add_keep(prune)
    for command in (compare, promote, rollback, prune):
        add_registry(command)


def _add_if_better(promote: argparse.ArgumentParser) -> None:
    group = promote.add_argument_group(
        "promote a challenger only if labelled outcomes say that it is better",
        "Exit code 0: it is better, and promoted; 3: it is worse, keep the champion; 4: not enough"
        " labels yet; 1: it cannot be decided, and why. It may be asked again and again: a"
        " challenger that is not better is ever promoted with a probability of at most alpha."
        " PROMETHEUS_TOKEN is sent as bearer token, with PROMETHEUS_USER beside it as basic auth.",
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
    _add_maturity(group)
    group.add_argument("--dry-run", action="store_true", help="decide and report, change nothing")
    group.add_argument("--json", action="store_true", help="print one JSON object")


def _add_maturity(group: argparse._ArgumentGroup) -> None:
    group.add_argument(
        "--maturity",
        type=parse_duration,
        default=30 * 86_400.0,
        metavar="TIME",
        help="a week of predictions counts, whole, this long after its end, with the labels that it"
        " has then: by then nearly all must have come; at most 42d, default 30d. 0: each label"
        " counts when it comes, which is right only if frauds and legitimate ones take as long",
    )
    group.add_argument(
        "--unlabelled",
        choices=("left-out", "legitimate"),
        default="left-out",
        help="what has no label at maturity is left out, and nothing is decided while labels are"
        " commoner among some decisions than among others; or is legitimate, where only frauds are"
        " labelled",
    )


def _add_import(commands: _Commands[argparse.ArgumentParser]) -> None:
    command = _add_command(
        commands,
        "import",
        "publish a fitted scikit-learn model made elsewhere. Loading a joblib file runs what its"
        " maker put into it: import only files that you trust",
    )
    command.add_argument("model", type=Path, metavar="MODEL.joblib")
    command.add_argument("--scaler", type=Path, metavar="SCALER.joblib", help="applied before it")
    add_registry(command)
    command.add_argument("--data", type=Path, metavar="FILE", required=True, help="a sample")
    command.add_argument(
        "--target", metavar="COLUMN", required=True, help="its labels: 1 is fraud, 0 is not"
    )
    add_reading(command)
    add_allow_joblib(
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
    add_rules(command)
    add_keep(command)


def _add_command(
    commands: _Commands[argparse.ArgumentParser], name: str, meaning: str
) -> argparse.ArgumentParser:
    return commands.add_parser(
        name, help=meaning, description=meaning[0].upper() + meaning[1:] + "."
    )
