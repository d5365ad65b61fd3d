"""What the commands of `python -m model` do.

What needs scikit-learn or pandas is imported inside: the other commands also run where only the
serving libraries are, beside a service.
"""

from __future__ import annotations

import sys
import time
from argparse import Namespace
from collections.abc import Callable
from typing import TYPE_CHECKING

import msgspec

from model.arguments import CANDIDATE_NAMES
from model.registry import report
from model.registry.comparison import comparison, listing
from model.serving.card import CARD_FILE, Card
from model.serving.errors import ModelError
from model.serving.registry import Registry
from model.serving.scorer import load_version
from model.training.evaluation import Rows, evaluate, file_rows, synthetic_rows
from model.training.threshold import AlertRateRule, CostRule, PrecisionRule, Rule

if TYPE_CHECKING:
    from model.data.dataset import Dataset
    from model.registry.publication import Publication

Progress = Callable[[str], None]
# The forest takes most of the time.
SYNTHETIC_CANDIDATES = ("logistic", "boosting")


def data_command(options: Namespace) -> None:
    """Write synthetic transactions to a file."""
    from model.data.synthetic_file import write

    progress = _progress()
    progress(f"making {options.rows:,} rows")
    transactions = write(
        options.out,
        rows=options.rows,
        seed=options.seed,
        fraud_rate=options.fraud_rate,
        scenario=options.scenario,
        with_probability=options.probability,
    )
    frauds = int(transactions.fraud.sum())
    print(f"wrote {options.rows:,} rows, {frauds:,} of them frauds, to {options.out}")


def train_command(options: Namespace) -> None:
    """Train, publish and promote; progress on standard error, the result on standard output."""
    from model.train import train

    progress = _progress()
    dataset = _dataset(options, progress)
    for note in dataset.notes:
        progress(f"note: {note}")
    default = SYNTHETIC_CANDIDATES if options.data is None else CANDIDATE_NAMES
    result = train(
        dataset,
        Registry(options.models),
        seed=options.seed,
        rule=_rule(options),
        candidates=options.candidates or default,
        progress=progress,
    )
    _tell(result, options)


def import_command(options: Namespace) -> None:
    """Convert, check, publish and promote a model made elsewhere."""
    from model.data.tables import Layout, load_dataset
    from model.import_estimator import import_model

    progress = _progress()
    layout = Layout(
        target=options.target,
        time=options.time,
        drop=tuple(options.drop),
        value=options.value,
        whole=True,
    )
    dataset = load_dataset(options.data, layout)
    for note in dataset.notes:
        progress(f"note: {note}")
    result = import_model(
        options.model,
        options.scaler,
        dataset,
        Registry(options.models),
        seed=options.seed,
        rule=_rule(options),
        allow_joblib=options.allow_joblib,
        progress=progress,
    )
    _tell(result, options)


def evaluate_command(options: Namespace) -> None:
    """Judge a published version's served file on rows it has not seen."""
    registry = Registry(options.models)
    version = options.version or registry.champion()
    scorer = load_version(registry, version, options.allow_joblib)
    result = evaluate(scorer, _rows(options, scorer.card), options.seed)
    if options.json:
        print(msgspec.json.encode(result.as_json()).decode())
        return
    print(f"version      {result.version}\ndata         {result.rows.source}")
    for name, count in result.rows.refused.items():
        print(f"left out     {count:,} rows whose {name} no request may hold")
    print()
    print(report.figures("evaluation", result.metrics, result.intervals))


def show_command(options: Namespace) -> None:
    """Print a card, for people or as it is."""
    registry = Registry(options.models)
    version = options.version or registry.champion()
    card = registry.card(version)
    if options.json:
        print((registry.folder(version) / CARD_FILE).read_text(encoding="utf-8"), end="")
    else:
        print(report.summary(card))


def list_command(options: Namespace) -> None:
    """Print a line per published version."""
    registry = Registry(options.models)
    registry.champion()
    print(listing(registry))


def compare_command(options: Namespace) -> None:
    """Print what differs between two versions."""
    registry = Registry(options.models)
    print(comparison(registry.card(options.first), registry.card(options.second)))


def promote_command(options: Namespace) -> int:
    """Make a version champion, after all that is served from it was loaded once.

    With --if-better the exit code tells what was decided: EXIT_CODES.
    """
    if options.if_better:
        # Only this asks a Prometheus: the image that trains has neither the client nor `requests`.
        from model.promotion.if_better import promote_if_better

        return promote_if_better(options)
    if options.version is None:
        raise ModelError("name the version to promote; 'python -m model list' shows them")
    registry = Registry(options.models)
    load_version(registry, options.version, options.allow_joblib)
    registry.promote(options.version)
    print(f"{options.version} is champion; {_next_start(registry, options.version)}")
    return 0


def rollback_command(options: Namespace) -> None:
    """Make the champion before this one champion again."""
    registry = Registry(options.models)
    version = registry.rollback()
    print(f"{version} is champion again; {_next_start(registry, version)}")


def prune_command(options: Namespace) -> None:
    """Remove old versions."""
    removed = Registry(options.models).prune(options.keep)
    print("removed " + (", ".join(removed) or "nothing"))


def _next_start(registry: Registry, version: str) -> str:
    condition = "" if registry.card(version).format == "onnx" else " with ALLOW_JOBLIB=true"
    return f"a running service serves it after its next start{condition}"


def _tell(result: Publication, options: Namespace) -> None:
    """The new version's card and what became of it; old versions are removed."""
    print(report.summary(result.card))
    print()
    if not result.is_new:
        print(f"nothing new: the same model is already published as {result.version}")
        return
    print(f"published {result.version} in {options.models} and made it champion")
    if result.card.format == "joblib":
        print("it is kept as joblib: a service serves it only with ALLOW_JOBLIB=true")
    for version in Registry(options.models).prune(options.keep):
        print(f"removed the old version {version}")


def _dataset(options: Namespace, progress: Progress) -> Dataset:
    if options.data is None:
        from model.data.dataset import synthetic_dataset

        _refuse_table_options(options)
        progress(f"making {options.rows:,} synthetic rows")
        return synthetic_dataset(options.rows, options.seed)
    from model.data.tables import Layout, load_dataset

    progress(f"reading {options.data}")
    layout = Layout(
        target=_target(options),
        time=options.time,
        drop=tuple(options.drop),
        value=options.value,
        label_delay=options.label_delay,
        holdout=options.holdout,
    )
    return load_dataset(options.data, layout)


def _rows(options: Namespace, card: Card) -> Rows:
    if options.data is None:
        return synthetic_rows(card, options.rows, options.seed)
    return file_rows(card, options.data, _target(options))


def _target(options: Namespace) -> str:
    if options.target is None:
        raise ModelError("--data needs --target, the column that holds 1 for fraud and 0 for not")
    target: str = options.target
    return target


def _refuse_table_options(options: Namespace) -> None:
    """Options about a file would be silently without effect when there is no file."""
    for name in ("target", "time", "drop", "value", "label_delay"):
        if getattr(options, name):
            raise ModelError(
                f"--{name.replace('_', '-')} is about a file; name it with --data FILE"
            )


def _rule(options: Namespace) -> Rule:
    if options.precision is not None:
        return PrecisionRule(options.precision)
    if options.alert_rate is not None:
        return AlertRateRule(options.alert_rate)
    return CostRule() if options.cost_ratio is None else CostRule(options.cost_ratio)


def _progress() -> Progress:
    began = time.monotonic()

    def tell(line: str) -> None:
        print(f"[{time.monotonic() - began:5.1f} s] {line}", file=sys.stderr, flush=True)

    return tell
