"""What the commands of `python -m model` do.

What needs scikit-learn or pandas is imported inside: the other commands also run where only the
serving libraries are, beside a service.
"""

from __future__ import annotations

import sys
import time
from argparse import Namespace
from typing import TYPE_CHECKING

import msgspec

from model.options import (
    Progress,
    choose_rule,
    load_rows,
    load_sample,
    load_training_data,
    read_reading,
)
from model.registry import report
from model.registry.comparison import compare_cards, list_versions
from model.registry.writer import RegistryWriter
from model.serving.card import CARD_FILE
from model.serving.errors import ModelError
from model.serving.registry import Registry
from model.serving.scorer import load_version
from model.training.candidate_names import CANDIDATE_NAMES, SYNTHETIC_CANDIDATES
from model.training.evaluation import evaluate_scorer, read_unlabelled_rows

if TYPE_CHECKING:
    from model.registry.publication import Publication


def run_data(options: Namespace) -> None:
    """Write synthetic transactions to a file."""
    from model.data.synthetic_file import write_transactions

    progress = _start_progress()
    progress(f"making {options.rows:,} rows")
    transactions = write_transactions(
        options.out,
        rows=options.rows,
        seed=options.seed,
        fraud_rate=options.fraud_rate,
        scenario=options.scenario,
        with_probability=options.probability,
    )
    frauds = int(transactions.fraud.sum())
    print(f"wrote {options.rows:,} rows, {frauds:,} of them frauds, to {options.out}")


def run_train(options: Namespace) -> None:
    """Train, publish and promote; progress on standard error, the result on standard output."""
    from model.train import train

    progress = _start_progress()
    dataset = load_training_data(options, progress)
    for note in dataset.notes:
        progress(f"note: {note}")
    default = SYNTHETIC_CANDIDATES if options.data is None else CANDIDATE_NAMES
    result = train(
        dataset,
        RegistryWriter(options.models),
        seed=options.seed,
        rule=choose_rule(options),
        candidates=options.candidates or default,
        refit=options.refit,
        progress=progress,
    )
    _report_publication(result, options)


def run_import(options: Namespace) -> None:
    """Convert, check, publish and promote a model made elsewhere."""
    from model.foreign_model import read_model
    from model.import_estimator import import_model

    progress = _start_progress()
    foreign = read_model(options.model, options.scaler, options.positive)
    dataset = load_sample(options, foreign.columns_used, progress)
    for note in dataset.notes:
        progress(f"note: {note}")
    result = import_model(
        foreign,
        dataset,
        RegistryWriter(options.models),
        seed=options.seed,
        rule=choose_rule(options),
        allow_joblib=options.allow_joblib,
        time_limit=options.time_limit,
        progress=progress,
    )
    _report_publication(result, options)


def run_evaluate(options: Namespace) -> None:
    """Judge a published version's served file on rows it has not seen."""
    registry = Registry(options.models)
    version = options.version or registry.champion()
    scorer = load_version(registry, version, options.allow_joblib)
    result = evaluate_scorer(scorer, load_rows(options, scorer.card), options.seed)
    if options.json:
        print(msgspec.json.encode(result.as_json()).decode())
        return
    print(f"version      {result.version}\ndata         {result.rows.source}")
    for name, count in result.rows.refused.items():
        print(f"left out     {count:,} rows whose {name} no request may hold")
    print()
    print(report.format_figures("evaluation", result.metrics, result.intervals))


def run_report(options: Namespace) -> None:
    """Write a version's report as a page, and as JSON where it is wanted."""
    from model.reporting.content import build_report, compare_table
    from model.reporting.write import write_report

    registry = Registry(options.models)
    version = options.version or registry.champion()
    against = None
    if options.against is not None:
        scorer = load_version(registry, version, options.allow_joblib)
        rows, refused = read_unlabelled_rows(scorer.card, options.against, read_reading(options))
        against = compare_table(scorer, options.against.name, rows, refused)
    for path in write_report(build_report(registry, version, against), options.out, options.json):
        print(f"wrote {path}")


def run_show(options: Namespace) -> None:
    """Print a card, for people or as it is."""
    registry = Registry(options.models)
    version = options.version or registry.champion()
    card = registry.card(version)
    if options.json:
        print((registry.folder(version) / CARD_FILE).read_text(encoding="utf-8"), end="")
    else:
        print(report.format_card(card))


def run_list(options: Namespace) -> None:
    """Print a line per published version."""
    registry = Registry(options.models)
    registry.champion()
    print(list_versions(registry))


def run_compare(options: Namespace) -> None:
    """Print what differs between two versions."""
    registry = Registry(options.models)
    print(compare_cards(registry.card(options.first), registry.card(options.second)))


def run_promote(options: Namespace) -> int:
    """Make a version champion, after all that is served from it was loaded once.

    With --if-better the exit code says what was decided: EXIT_CODES.
    """
    if options.if_better:
        # Only this asks a Prometheus: the image that trains has neither the client nor `requests`.
        from model.promotion.if_better import promote_if_better

        return promote_if_better(options)
    if options.version is None:
        raise ModelError("name the version to promote; 'python -m model list' shows them")
    registry = RegistryWriter(options.models)
    load_version(registry, options.version, options.allow_joblib)
    registry.promote(options.version)
    print(f"{options.version} is champion; {_describe_next_start(registry, options.version)}")
    return 0


def run_rollback(options: Namespace) -> None:
    """Make the champion before this one champion again."""
    registry = RegistryWriter(options.models)
    version = registry.rollback()
    print(f"{version} is champion again; {_describe_next_start(registry, version)}")


def run_prune(options: Namespace) -> None:
    """Remove old versions."""
    removed = RegistryWriter(options.models).prune(options.keep)
    print("removed " + (", ".join(removed) or "nothing"))


def _describe_next_start(registry: Registry, version: str) -> str:
    condition = "" if registry.card(version).format == "onnx" else " with ALLOW_JOBLIB=true"
    return f"a running service serves it after its next start{condition}"


def _report_publication(result: Publication, options: Namespace) -> None:
    """The new version's card and what became of it; old versions are removed."""
    print(report.format_card(result.card))
    print()
    if not result.is_new:
        print(f"nothing new: the same model is already published as {result.version}")
        return
    print(f"published {result.version} in {options.models} and made it champion")
    if result.card.format == "joblib":
        print("it is kept as joblib: a service serves it only with ALLOW_JOBLIB=true")
    for version in RegistryWriter(options.models).prune(options.keep):
        print(f"removed the old version {version}")


def _start_progress() -> Progress:
    began = time.monotonic()

    def report_progress(line: str) -> None:
        print(f"[{time.monotonic() - began:5.1f} s] {line}", file=sys.stderr, flush=True)

    return report_progress
