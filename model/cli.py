"""`python -m model`: train, evaluate and look at models."""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import msgspec
import numpy as np

from model.card import CARD_FILE
from model.dataset import synthetic_dataset
from model.errors import ModelError
from model.registry import Registry
from model.report import figures, summary

DEFAULT_ROWS = 200_000
DEFAULT_SEED = 1
# Rows for an evaluation must be others than those that were trained on.
EVALUATION_SEED = 1_000_001


def main(arguments: Sequence[str] | None = None) -> int:
    """Exit code: 0 done, 1 could not be done (one sentence on standard error), 2 wrong usage."""
    options = _parser().parse_args(arguments)
    command: Callable[[argparse.Namespace], None] = options.command
    try:
        command(options)
    except ModelError as error:
        print(f"model: {error}", file=sys.stderr)
        return 1
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m model", description="Train, evaluate and look at fraud models."
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    _add_train(commands)
    _add_evaluate(commands)
    _add_show(commands)
    return parser


def _add_train(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = _command(commands, "train", _train, "train a model and publish it as the new champion")
    parser.add_argument("--rows", type=_count, default=DEFAULT_ROWS, help="synthetic rows")
    parser.add_argument("--seed", type=int, default=DEFAULT_SEED, help="of rows and model")


def _add_evaluate(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = _command(
        commands, "evaluate", _evaluate, "score rows that a published model has not seen"
    )
    parser.add_argument("--version", help="default: the champion")
    parser.add_argument("--rows", type=_count, default=DEFAULT_ROWS, help="synthetic rows")
    parser.add_argument("--seed", type=int, default=EVALUATION_SEED, help="of the rows")
    parser.add_argument("--json", action="store_true", help="print one JSON object")


def _add_show(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = _command(commands, "show", _show, "print a published model's card")
    parser.add_argument("--version", help="default: the champion")
    parser.add_argument("--json", action="store_true", help="print card.json as it is")


def _command(
    commands: argparse._SubParsersAction[argparse.ArgumentParser],
    name: str,
    run: Callable[[argparse.Namespace], None],
    meaning: str,
) -> argparse.ArgumentParser:
    parser = commands.add_parser(
        name,
        help=meaning,
        description=meaning[0].upper() + meaning[1:] + ".",
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    parser.set_defaults(command=run)
    default = Path(os.environ.get("MODEL_DIR") or "models")
    parser.add_argument("--models", type=Path, default=default, help="folder of published models")
    return parser


def _train(options: argparse.Namespace) -> None:
    # Late: the other commands also run where there is no scikit-learn, beside a service.
    from model.training import train

    began = time.monotonic()

    def progress(line: str) -> None:
        print(f"[{time.monotonic() - began:5.1f} s] {line}", file=sys.stderr, flush=True)

    progress(f"making {options.rows:,} synthetic rows")
    dataset = synthetic_dataset(options.rows, options.seed)
    result = train(dataset, Registry(options.models), seed=options.seed, progress=progress)
    print(summary(result.card))
    print()
    if result.is_new:
        print(f"published {result.version} in {options.models} and made it champion")
    else:
        print(f"nothing new: the same model is already published as {result.version}")


def _evaluate(options: argparse.Namespace) -> None:
    from model.metrics import measure
    from model.scorer import load_version

    registry = Registry(options.models)
    scorer = load_version(registry, options.version or registry.champion())
    dataset = synthetic_dataset(options.rows, options.seed)
    names = tuple(column.name for column in dataset.columns)
    if names != tuple(feature.name for feature in scorer.card.features):
        raise ModelError(
            f"version {scorer.card.version} has other features than the synthetic rows"
        )
    probability = np.array(scorer.score(dataset.features.tolist()))
    metrics = measure(dataset.target, probability, scorer.card.threshold)
    if options.json:
        print(msgspec.json.encode({"version": scorer.card.version, "metrics": metrics}).decode())
        return
    print(f"version      {scorer.card.version}\ndata         {dataset.source}\n")
    print(figures(metrics).replace("holdout", "evaluation", 1))


def _show(options: argparse.Namespace) -> None:
    registry = Registry(options.models)
    version = options.version or registry.champion()
    card = registry.card(version)
    if options.json:
        print((registry.folder(version) / CARD_FILE).read_text(encoding="utf-8"), end="")
    else:
        print(summary(card))


def _count(text: str) -> int:
    count = int(text)
    if count < 1:
        raise argparse.ArgumentTypeError(f"{text} is not a positive number")
    return count
